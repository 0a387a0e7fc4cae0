"""The sockets of the name server: one thread with an event loop of its own, UDP and TCP on one port."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import cast

import dns.exception
import dns.message

from greatseal.integrations.zone_server.answering import Answering, cut_short
from greatseal.integrations.zone_server.restraint import Restraint, Verdict

log = logging.getLogger(__name__)

_MOST_CONNECTIONS = 64
_IDLE_SECONDS = 10.0
_QUESTIONS_A_CONNECTION = 100
_PORTS_TRIED = 20


class ZoneServer:
    """Answers from `start` until `stop`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        answering: Answering,
        per_second: int = 100,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Binds; port 0 takes one that is free for both protocols. Raises OSError."""
        self._answering = answering
        self._restraint = Restraint(per_second, monotonic=monotonic)
        self._udp, self._tcp = _bound(host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="greatseal-zones", daemon=True)
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._connections = 0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._udp.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Starts answering."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Ends; connections are closed."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._udp.close()
        self._tcp.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Udp(self._udp_answer), sock=self._udp)
        server = await asyncio.start_server(self._converse, sock=self._tcp, limit=1 << 16)
        self._started.set()
        await self._stopping.wait()
        transport.close()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _udp_answer(self, packet: bytes, address: str) -> bytes | None:
        verdict = self._restraint.weigh(address)
        if verdict is Verdict.DROP:
            return None
        if verdict is Verdict.ANSWER:
            return self._answering.answer(packet, over_udp=True)
        try:
            question = dns.message.from_wire(packet, question_only=True)
        except dns.exception.DNSException:
            return None
        return None if packet[2] & 0x80 else cut_short(question)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= _MOST_CONNECTIONS:
            writer.close()
            return
        self._connections += 1
        try:
            for _ in range(_QUESTIONS_A_CONNECTION):
                async with asyncio.timeout(_IDLE_SECONDS):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    packet = await reader.readexactly(length)
                    answer = self._answering.answer(packet, over_udp=False)
                    if answer is None:
                        break
                    writer.write(len(answer).to_bytes(2, "big") + answer)
                    await writer.drain()
        except (OSError, EOFError):  # a timeout is an OSError; whoever leaves in the middle is gone
            pass
        finally:
            self._connections -= 1
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes, str], bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The selector's transport does not name the class that it behaves as.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        # Port 0 cannot be answered.
        if self._transport is None or addr[1] == 0:
            return
        try:
            answer = self._answer(data, addr[0])
        except Exception:
            log.exception("a packet was not answered")
            return
        if answer is not None:
            self._transport.sendto(answer, addr)


def _bound(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A socket of each protocol on the same port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in range(1, _PORTS_TRIED + 1):
        tcp = socket.create_server((host, port), family=family, backlog=_MOST_CONNECTIONS)
        udp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            udp.bind((host, tcp.getsockname()[1]))
        except OSError:
            udp.close()
            tcp.close()
            # The number is free for one protocol only; with port 0 the next one may be free for both.
            if port != 0 or attempt == _PORTS_TRIED:
                raise
        else:
            udp.setblocking(False)
            return udp, tcp
    raise AssertionError("the loop returns or raises")
