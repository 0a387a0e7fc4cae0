"""Route 53 by its API, at AWS or at anything that speaks it.

A set of records is replaced as a whole there. A change removes the set that was read and creates the new one in one
batch, which the service refuses when somebody else changed the set in between: then it is read again.
"""

import threading
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from greatseal.domain.zones.model import ZoneRefused, rdata_of
from greatseal.domain.zones.ports import ProviderFailed
from greatseal.kernel.secret import Secret

_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Route53Account:
    """Whose zones. Without an `endpoint`, those at AWS."""

    access_key_id: str
    secret_access_key: Secret
    endpoint: str | None = None
    region: str = "us-east-1"
    timeout: float = 10.0


class Route53Provider:
    """Changes public hosted zones; threads may share it."""

    def __init__(self, name: str, account: Route53Account) -> None:
        self.name = name
        self._account = account
        self._lock = threading.Lock()
        self._made: Any = None
        self._ids: dict[str, str] = {}

    def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
        """As `DnsProvider.upsert`."""
        text = _presented(kind, value)

        def added(there: dict[str, Any] | None) -> dict[str, Any] | None:
            texts = [] if there is None or kind == "CNAME" else [each["Value"] for each in there["ResourceRecords"]]
            values = [{"Value": each} for each in dict.fromkeys([*texts, text])]
            return {"Name": _dotted(name), "Type": kind, "TTL": ttl, "ResourceRecords": values}

        self._change(zone, name, kind, added)

    def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        """As `DnsProvider.remove`."""
        text = _presented(kind, value)

        def left(there: dict[str, Any] | None) -> dict[str, Any] | None:
            if there is None:
                return None
            values = [each for each in there["ResourceRecords"] if _folded(kind, each["Value"]) != _folded(kind, text)]
            return {**there, "ResourceRecords": values} if values else None

        self._change(zone, name, kind, left)

    def _change(self, zone: str, name: str, kind: str, wanted: Any) -> None:
        zone_id = self._zone_id(zone)
        for attempt in range(1, _ATTEMPTS + 1):
            there = self._there(zone_id, name, kind)
            new = wanted(there)
            if new == there:
                return
            changes = [{"Action": "DELETE", "ResourceRecordSet": there}] if there else []
            changes += [{"Action": "CREATE", "ResourceRecordSet": new}] if new else []
            try:
                self._call("change_resource_record_sets", HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
            except _Changed as changed:
                if attempt == _ATTEMPTS:
                    raise ProviderFailed(str(changed)) from None
            else:
                return

    def _there(self, zone_id: str, name: str, kind: str) -> dict[str, Any] | None:
        found = self._call(
            "list_resource_record_sets",
            HostedZoneId=zone_id,
            StartRecordName=_dotted(name),
            StartRecordType=kind,
            MaxItems="1",
        )["ResourceRecordSets"]
        sets = [each for each in found if each["Name"].lower() == _dotted(name).lower() and each["Type"] == kind]
        if sets and not sets[0].get("ResourceRecords"):
            raise ProviderFailed(f"{name} is an alias record, which is not ours to change")
        return sets[0] if sets else None

    def _zone_id(self, zone: str) -> str:
        if zone not in self._ids:
            found = self._call("list_hosted_zones_by_name", DNSName=_dotted(zone))["HostedZones"]
            public = [
                each["Id"].rpartition("/")[2]
                for each in found
                if each["Name"].lower() == _dotted(zone) and not each.get("Config", {}).get("PrivateZone")
            ]
            if not public:
                raise ProviderFailed(f"the account has no public hosted zone {zone}")
            self._ids[zone] = public[0]
        return self._ids[zone]

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self._client(), operation)(**parameters)
        except ClientError as error:
            told = error.response.get("Error", {})
            code, message = str(told.get("Code", "")), str(told.get("Message", ""))
            if code == "NoSuchHostedZone":
                self._ids.clear()  # made anew under another id
            kind = _Changed if code in ("InvalidChangeBatch", "PriorRequestNotComplete") else ProviderFailed
            raise kind(f"Route 53 refused: {code}: {message}"[:500]) from None
        except BotoCoreError as error:
            raise ProviderFailed(f"Route 53 does not answer: {error}") from None

    def _client(self) -> Any:
        with self._lock:  # making a client is not safe in threads, using one is
            if self._made is None:
                self._made = self._connect()
            return self._made

    def _connect(self) -> Any:
        account = self._account
        # Nothing of the environment or of configuration files: only the settings say where things go.
        session = Session(
            session_vars={"profile": (None, None, None, None), "config_file": (None, None, "/dev/null", None)}
        )
        return session.create_client(
            "route53",
            region_name=account.region,
            endpoint_url=account.endpoint,
            aws_access_key_id=account.access_key_id,
            aws_secret_access_key=account.secret_access_key.reveal().decode(),
            config=Config(
                connect_timeout=account.timeout,
                read_timeout=account.timeout,
                retries={"max_attempts": 2, "mode": "standard"},
            ),
        )


class _Changed(ProviderFailed):
    """The batch does not fit to what is there now."""


def _folded(kind: str, text: str) -> str:
    """Names have no case, texts have."""
    return text if kind == "TXT" else text.lower()


def _dotted(name: str) -> str:
    return f"{name.removesuffix('.')}."


def _presented(kind: str, value: str) -> str:
    try:
        return rdata_of(kind, value).to_text()
    except ZoneRefused as error:
        raise ProviderFailed(error.message) from None
