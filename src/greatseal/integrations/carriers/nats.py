"""A message to a NATS subject: kept by JetStream, which acknowledges and drops repetitions, or sent and forgotten."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, NoServersError
from nats.js.errors import NoStreamResponseError

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.carriers.brokers import MESSAGE_ID, Broker, route_of
from greatseal.integrations.pinned import said

_CLOSING_SECONDS = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsRoute(Broker):
    """A subject. `jetstream` waits until a stream has stored the message."""

    subject: str
    jetstream: bool = True


class NatsCarrier:
    """Carries parcels of the kind `nats`; threads may share it."""

    def __init__(self, channels: Mapping[str, NatsRoute]) -> None:
        self._channels = dict(channels)

    def carry(self, parcel: Parcel) -> None:
        """Returns once a stream, or at least the server, has the message. Raises Undeliverable."""
        route = route_of(self._channels, parcel)
        try:
            asyncio.run(asyncio.wait_for(_publish(route, parcel), route.timeout))
        except TimeoutError:
            raise Undeliverable("the NATS server took too long", down=True) from None
        except NoStreamResponseError:
            raise Undeliverable(f"no stream of the NATS server keeps the subject {route.subject}", down=True) from None
        except MaxPayloadError:
            raise Undeliverable("the message is larger than the NATS server takes", final=True) from None
        except (OSError, NoServersError) as error:
            raise Undeliverable(f"NATS: {said(error)}", down=True) from None
        except (NatsError, ValueError, EOFError) as error:
            raise Undeliverable(f"NATS: {said(error)}") from None


async def _publish(route: NatsRoute, parcel: Parcel) -> None:
    scheme = "tls" if route.tls else "nats"
    client = Client()
    try:
        await client.connect(
            [f"{scheme}://{_host(host)}:{port}" for host, port in route.servers],
            user=route.user,
            password=None if route.password is None else route.password.reveal().decode(),
            tls=ssl.create_default_context(cafile=route.ca_file) if route.tls else None,
            name="greatseal",
            allow_reconnect=False,
            max_reconnect_attempts=0,
            connect_timeout=max(1, int(route.timeout)),
            error_cb=_heard,
        )
        headers = {MESSAGE_ID: parcel.message_id, "Nats-Msg-Id": parcel.message_id}
        body = parcel.body.encode("utf-8", "replace")
        if route.jetstream:
            await client.jetstream().publish(route.subject, body, headers=headers, timeout=route.timeout)
        else:
            await client.publish(route.subject, body, headers=headers)
            await client.flush(max(1, int(route.timeout)))
    finally:
        await _end(client)


async def _end(client: Client) -> None:
    """Closes the connection, also one of which the client itself lets go half open."""
    transport: Any = client._transport
    with suppress(Exception):
        await asyncio.wait_for(client.close(), _CLOSING_SECONDS)
    if transport is not None:
        with suppress(Exception):
            transport.close()
            await asyncio.wait_for(transport.wait_closed(), _CLOSING_SECONDS)


async def _heard(error: Exception) -> None:
    # The client tells of every failure besides raising it.
    _log.debug("NATS: %s", type(error).__name__)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
