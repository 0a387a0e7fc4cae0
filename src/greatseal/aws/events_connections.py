"""EventBridge: connections and API destinations, by which rules call webhooks."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import events_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.events_asking import Asking
from greatseal.aws.events_shapes import Parameters, present, refuse
from greatseal.domain.access import Access
from greatseal.domain.events.desk import own
from greatseal.domain.events.room import EventBuses
from greatseal.kernel.caller import Caller

Result = Mapping[str, Any] | None


class EventConnections:
    """The operations on connections and API destinations."""

    def __init__(self, *, access: Access, room: EventBuses) -> None:
        self._ask = Asking(access)
        self._connections = room.connections
        self._destinations = room.destinations

    def create_connection(self, caller: Caller, p: Parameters) -> Result:
        """CreateConnection"""
        refuse(p, "KmsKeyIdentifier", "InvocationConnectivityParameters")
        self._ask(caller, _arn(caller, "connection", p["Name"]))
        made = self._connections.create(caller, p["Name"], shapes.credentials_from_wire(p), p.get("Description"))
        return shapes.present({**shapes.connection_times(made, "AUTHORIZED"), "LastAuthorizedTime": None})

    def describe_connection(self, caller: Caller, p: Parameters) -> Result:
        """DescribeConnection"""
        self._ask(caller, _arn(caller, "connection", p["Name"]))
        found = self._connections.find(own(caller, p["Name"]))
        more = {"Description": found.description, "AuthParameters": dict(found.public)}
        return {**shapes.connection_wire(found), **present(more)}

    def update_connection(self, caller: Caller, p: Parameters) -> Result:
        """UpdateConnection"""
        refuse(p, "KmsKeyIdentifier", "InvocationConnectivityParameters")
        self._ask(caller, _arn(caller, "connection", p["Name"]))
        anew = p.get("AuthorizationType") or p.get("AuthParameters")
        credentials = shapes.credentials_from_wire(p) if anew else None
        changed = self._connections.update(caller, p["Name"], credentials, p.get("Description"))
        return shapes.connection_times(changed, "AUTHORIZED" if changed.authorized else "DEAUTHORIZED")

    def deauthorize_connection(self, caller: Caller, p: Parameters) -> Result:
        """DeauthorizeConnection"""
        self._ask(caller, _arn(caller, "connection", p["Name"]))
        return shapes.connection_times(self._connections.deauthorize(caller, p["Name"]), "DEAUTHORIZING")

    def delete_connection(self, caller: Caller, p: Parameters) -> Result:
        """DeleteConnection"""
        self._ask(caller, _arn(caller, "connection", p["Name"]))
        return shapes.connection_times(self._connections.delete(caller, p["Name"]), "DELETING")

    def list_connections(self, caller: Caller, p: Parameters) -> Result:
        """ListConnections"""
        self._ask(caller, "*")
        state = p.get("ConnectionState")
        if state not in (None, "AUTHORIZED", "DEAUTHORIZED"):
            # Connections here have no other state.
            return {"Connections": []}
        authorized = None if state is None else state == "AUTHORIZED"
        page = self._connections.page(caller, shapes.wanted(p), authorized=authorized)
        return shapes.listed("Connections", page, [shapes.connection_wire(each) for each in page.items])

    def create_api_destination(self, caller: Caller, p: Parameters) -> Result:
        """CreateApiDestination"""
        self._ask(caller, _arn(caller, "api-destination", p["Name"]))
        made, usable = self._destinations.create(
            caller,
            p["Name"],
            connection_arn=p["ConnectionArn"],
            endpoint=p["InvocationEndpoint"],
            method=p["HttpMethod"],
            rate=p.get("InvocationRateLimitPerSecond"),
            description=p.get("Description"),
        )
        return _brief(shapes.destination_wire(made, usable))

    def describe_api_destination(self, caller: Caller, p: Parameters) -> Result:
        """DescribeApiDestination"""
        self._ask(caller, _arn(caller, "api-destination", p["Name"]))
        found, usable = self._destinations.find(own(caller, p["Name"]))
        return {**shapes.destination_wire(found, usable), **present({"Description": found.description})}

    def update_api_destination(self, caller: Caller, p: Parameters) -> Result:
        """UpdateApiDestination"""
        self._ask(caller, _arn(caller, "api-destination", p["Name"]))
        given = {
            "description": p.get("Description"),
            "connection_arn": p.get("ConnectionArn"),
            "endpoint": p.get("InvocationEndpoint"),
            "method": p.get("HttpMethod"),
            "rate": p.get("InvocationRateLimitPerSecond"),
        }
        return _brief(shapes.destination_wire(*self._destinations.update(caller, p["Name"], present(given))))

    def delete_api_destination(self, caller: Caller, p: Parameters) -> Result:
        """DeleteApiDestination"""
        self._ask(caller, _arn(caller, "api-destination", p["Name"]))
        self._destinations.delete(caller, p["Name"])
        return {}

    def list_api_destinations(self, caller: Caller, p: Parameters) -> Result:
        """ListApiDestinations"""
        self._ask(caller, "*")
        page = self._destinations.page(caller, shapes.wanted(p), connection_arn=p.get("ConnectionArn"))
        return shapes.listed("ApiDestinations", page, [shapes.destination_wire(*each) for each in page.items])

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateConnection": self.create_connection,
            "DescribeConnection": self.describe_connection,
            "UpdateConnection": self.update_connection,
            "DeauthorizeConnection": self.deauthorize_connection,
            "DeleteConnection": self.delete_connection,
            "ListConnections": self.list_connections,
            "CreateApiDestination": self.create_api_destination,
            "DescribeApiDestination": self.describe_api_destination,
            "UpdateApiDestination": self.update_api_destination,
            "DeleteApiDestination": self.delete_api_destination,
            "ListApiDestinations": self.list_api_destinations,
        }


def _brief(found: Mapping[str, Any]) -> dict[str, Any]:
    """What creating and updating answer of a destination."""
    return {
        name: found[name] for name in ("ApiDestinationArn", "ApiDestinationState", "CreationTime", "LastModifiedTime")
    }


def _arn(caller: Caller, kind: str, name: str) -> str:
    """Policies name connections and destinations without their number, which nobody knows beforehand."""
    return str(caller.arn("events", f"{kind}/{name}"))
