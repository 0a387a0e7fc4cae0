"""Uvicorn's protocol with the express lane of the edge before it."""

import asyncio

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from greatseal.edge.asgi import EdgeApp


class PlainProtocol(H11Protocol):
    """HTTP/1.1 and 1.0 by h11. A request that finds a ready answer does not get so far."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config.app, EdgeApp)
        self._express = config.app.express.answer
        self._answered_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Octets of a client: a whole request, a part of one, or several."""
        found = self._express(data) if self._is_between_requests() else None
        if found is None:
            super().data_received(data)
            return
        answer, ends = found
        self.server_state.total_requests += 1
        self.transport.write(answer)
        if ends:
            self.transport.close()
            return
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Ends a connection on which nothing is asked any more. Express answers do not set the timer anew."""
        self.timeout_keep_alive_task = None
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait(left)
        else:
            super().timeout_keep_alive_handler()

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _is_between_requests(self) -> bool:
        """Nothing is read in part, worked on or waiting to be sent."""
        conn = self.conn
        return (
            conn.their_state is h11.IDLE
            and conn.our_state is h11.IDLE
            and not self.flow.write_paused
            and not conn.trailing_data[0]
        )
