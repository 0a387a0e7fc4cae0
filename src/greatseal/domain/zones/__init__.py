"""The room of DNS zones: the records that we write ourselves, and those that we ask a DNS provider to write.

`HostedZones` finds the zone that a name belongs to and has records created there by durable jobs; `OwnZones` holds the
zones that our own name server answers for. Ruled by docs/dns.md. Calls no other room but for the topic that wakes the
threads of `delivery`, which its jobs run in.

Whoever starts a validation calls `HostedZones.want(tx, name, value)` in its own transaction, for every record that
somebody should find: nothing happens for names whose zone nobody entrusted to us.
"""

from greatseal.domain.zones.hosted import CREATE_RECORD_JOB, Hosted, HostedZones
from greatseal.domain.zones.model import Record, ZoneRefused
from greatseal.domain.zones.own import OwnZones
from greatseal.domain.zones.ports import DnsProvider, ProviderFailed

__all__ = [
    "CREATE_RECORD_JOB",
    "DnsProvider",
    "Hosted",
    "HostedZones",
    "OwnZones",
    "ProviderFailed",
    "Record",
    "ZoneRefused",
]
