"""A message to an exchange of an AMQP 0-9-1 broker such as RabbitMQ, which confirms that it has it."""

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import amqp
from amqp.exceptions import AMQPError, NotFound

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.carriers.brokers import MESSAGE_ID, Broker, route_of
from greatseal.integrations.pinned import cut_at, said


@dataclass(frozen=True, slots=True, kw_only=True)
class AmqpRoute(Broker):
    """Where messages go. An empty exchange is the default one, whose routing keys are the names of queues."""

    exchange: str = ""
    routing_key: str = ""
    virtual_host: str = "/"


class AmqpCarrier:
    """Carries parcels of the kind `amqp`; threads may share it."""

    def __init__(self, channels: Mapping[str, AmqpRoute]) -> None:
        self._channels = dict(channels)

    def carry(self, parcel: Parcel) -> None:
        """Returns once the broker has confirmed that a queue has the message. Raises Undeliverable."""
        route = route_of(self._channels, parcel)
        until = time.monotonic() + route.timeout
        try:
            with ExitStack() as stack:
                _publish(route, parcel, stack, until)
        except NotFound:
            raise Undeliverable(f"the AMQP broker has no exchange {route.exchange}", down=True) from None
        except _Returned:
            raise Undeliverable(f"no queue takes the routing key {route.routing_key}", down=True) from None
        except Exception as error:  # noqa: BLE001 - the client raises whatever a garbled frame leads it to
            late = time.monotonic() >= until or isinstance(error, TimeoutError)
            reason = "the AMQP broker took too long" if late else f"AMQP: {said(error)}"
            raise Undeliverable(reason, down=late or isinstance(error, OSError | AMQPError)) from None


class _Returned(Exception):
    """No queue wanted the message."""


def _publish(route: AmqpRoute, parcel: Parcel, stack: ExitStack, until: float) -> None:
    host, port = route.servers[0]
    connection = _Connection(
        f"{host}:{port}",
        userid=route.user or "guest",
        password="guest" if route.password is None else route.password.reveal().decode(),
        virtual_host=route.virtual_host,
        ssl=_tls(route, host) if route.tls else False,
        connect_timeout=route.timeout,
        read_timeout=route.timeout,
        write_timeout=route.timeout,
        confirm_publish=True,
        client_properties={"connection_name": "greatseal"},
    )
    connection.watch = lambda raw: stack.enter_context(cut_at(until, raw))
    stack.callback(_drop, connection)
    connection.connect()
    channel = connection.channel()
    returned: list[Any] = []
    channel.events["basic_return"].add(lambda *what: returned.append(what))
    message = amqp.Message(
        parcel.body.encode("utf-8", "replace"),
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=parcel.message_id,
        application_headers={MESSAGE_ID: parcel.message_id},
    )
    channel.basic_publish(
        message,
        exchange=route.exchange,
        routing_key=route.routing_key,
        mandatory=True,
        timeout=max(until - time.monotonic(), 0.001),
    )
    if returned:
        raise _Returned
    # It has been taken: how the conversation ends is of no importance.
    with suppress(Exception):
        connection.close()


class _Connection(amqp.Connection):  # type: ignore[misc]  # the client has no types
    """A connection whose socket is watched from before its first octet."""

    watch: Callable[[socket.socket], None]

    def Transport(self, *arguments: Any, **named: Any) -> Any:  # noqa: N802 - the client's name
        """As the parent's."""
        made = super().Transport(*arguments, **named)
        connect = made._connect

        def watched(*where: Any) -> None:
            connect(*where)
            self.watch(made.sock)

        made._connect = watched
        return made


def _tls(route: AmqpRoute, host: str) -> dict[str, Any]:
    """Options of the client, which checks the server's name and certificate when it is told the name."""
    return {"server_hostname": host} | ({} if route.ca_file is None else {"ca_certs": str(route.ca_file)})


def _drop(connection: amqp.Connection) -> None:
    with suppress(Exception):
        connection.collect()
