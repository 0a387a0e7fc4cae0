"""A message to a Kafka topic, which all replicas that are in step have acknowledged."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.carriers.brokers import MESSAGE_ID, Broker, route_of

_log = logging.getLogger(__name__)

_FINAL = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaRoute(Broker):
    """A topic. Messages with one order key go to one partition."""

    topic: str


class KafkaCarrier:
    """Carries parcels of the kind `kafka`; threads may share it."""

    def __init__(self, channels: Mapping[str, KafkaRoute]) -> None:
        self._channels = dict(channels)

    def carry(self, parcel: Parcel) -> None:
        """Returns once the replicas have the message. Raises Undeliverable."""
        route = route_of(self._channels, parcel)
        outcome: list[KafkaError | None] = []
        try:
            producer = Producer(_configuration(route), logger=_log)
            producer.produce(
                route.topic,
                parcel.body.encode("utf-8", "replace"),
                key=parcel.order_key.encode() or None,
                headers={MESSAGE_ID: parcel.message_id},
                on_delivery=lambda error, _: outcome.append(error),
            )
            producer.flush(route.timeout)
        except (KafkaException, BufferError, ValueError) as error:
            raise Undeliverable(f"Kafka: {_named(error)}", down=True) from None
        if not outcome:
            # Whatever is still on its way is given up, so that the producer ends at once.
            producer.purge()
            raise Undeliverable("the Kafka cluster took too long", down=True)
        if outcome[0] is not None:
            code = outcome[0].code()
            raise Undeliverable(f"Kafka: {outcome[0].name()}", final=code in _FINAL, down=code not in _FINAL)


def _configuration(route: KafkaRoute) -> dict[str, Any]:
    milliseconds = max(1, int(route.timeout * 1000))
    wanted: dict[str, Any] = {
        "bootstrap.servers": ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in route.servers
        ),
        "client.id": "greatseal",
        "acks": "all",
        "enable.idempotence": True,
        "message.timeout.ms": milliseconds,
        "socket.timeout.ms": max(10, milliseconds),
        "security.protocol": ("SASL_" if route.user else "") + ("SSL" if route.tls else "PLAINTEXT"),
    }
    if route.ca_file is not None:
        wanted["ssl.ca.location"] = str(route.ca_file)
    if route.user is not None and route.password is not None:
        wanted |= {
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": route.user,
            "sasl.password": route.password.reveal().decode(),
        }
    return wanted


def _named(error: Exception) -> str:
    first = error.args[0] if error.args else None
    return first.name() if isinstance(first, KafkaError) else type(error).__name__
