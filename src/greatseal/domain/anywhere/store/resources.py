"""Rows of trust anchors, profiles and CRLs: one set of statements for the three tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from sqlalchemy import Row, Table, and_, delete, insert, or_, select, update

from greatseal.domain.anywhere.model import (
    Field,
    ImportedCrl,
    NotificationEvent,
    NotificationSetting,
    Profile,
    R,
    Source,
    SourceKind,
    TrustAnchor,
)
from greatseal.domain.anywhere.store.tables import anywhere_crl, anywhere_profile, trust_anchor
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """One of the three nouns: its word in ARNs, its table, and how a row becomes a value and back."""

    word: str
    table: Table
    load: Callable[[Row[Any]], R]
    own_values: Callable[[R], Mapping[str, Any]]


def add(tx: Tx, kind: Kind[R], new: R) -> None:
    """Stores a new resource."""
    tx.execute(insert(kind.table), _values(kind, new))


def save(tx: Tx, kind: Kind[R], changed: R) -> None:
    """Stores the changed values of a resource that was read in the same transaction."""
    tx.execute(update(kind.table).where(kind.table.c.id == changed.id).values(_values(kind, changed)))


def remove(tx: Tx, kind: Kind[R], id: str) -> None:
    """Removes a resource."""
    tx.execute(delete(kind.table).where(kind.table.c.id == id))


def find(tx: Tx, kind: Kind[R], id: str) -> R | None:
    """The resource with this id."""
    row = tx.first(select(kind.table).where(kind.table.c.id == id))
    return None if row is None else kind.load(row)


def by_alias(tx: Tx, kind: Kind[R], account: str, region: str, alias: str) -> R | None:
    """The resource that has this alias."""
    table = kind.table
    row = tx.first(select(table).where(table.c.account == account, table.c.region == region, table.c.alias == alias))
    return None if row is None else kind.load(row)


def listing(
    tx: Tx, kind: Kind[R], account: str, region: str, *, after: tuple[datetime, str] | None, limit: int
) -> list[R]:
    """The resources of an account and region in the order of their making."""
    table = kind.table
    query = select(table).where(table.c.account == account, table.c.region == region)
    if after is not None:
        at, last = after
        query = query.where(or_(table.c.created_at > at, and_(table.c.created_at == at, table.c.id > last)))
    return [kind.load(row) for row in tx.all(query.order_by(table.c.created_at, table.c.id).limit(limit))]


def enabled_crls(tx: Tx, anchor_arn: str) -> list[bytes]:
    """The DER of the CRLs that are in force for an anchor."""
    table = anywhere_crl
    rows = tx.all(
        select(table.c.der).where(table.c.anchor_arn == anchor_arn, table.c.enabled.is_(True)).order_by(table.c.id)
    )
    return [row.der for row in rows]


def _values(kind: Kind[R], item: R) -> dict[str, Any]:
    return {**{column: getattr(item, column) for column in _SHARED}, **kind.own_values(item)}


_SHARED = ("id", "arn", "account", "region", "name", "enabled", "created_at", "updated_at", "alias")


def _shared(row: Row[Any]) -> dict[str, Any]:
    return {column: getattr(row, column) for column in _SHARED}


def _load_anchor(row: Row[Any]) -> TrustAnchor:
    return TrustAnchor(
        **_shared(row),
        source=Source(SourceKind(row.source_kind), row.source_value),
        settings=tuple(
            NotificationSetting(NotificationEvent(event), enabled, threshold, configured_by)
            for event, enabled, threshold, configured_by in row.settings
        ),
    )


def _anchor_values(anchor: TrustAnchor) -> Mapping[str, Any]:
    return {
        "source_kind": anchor.source.kind.value,
        "source_value": anchor.source.value,
        "settings": [[each.event.value, each.enabled, each.threshold, each.configured_by] for each in anchor.settings],
    }


def _load_profile(row: Row[Any]) -> Profile:
    return Profile(
        **_shared(row),
        role_arns=tuple(row.role_arns),
        session_policy=row.session_policy,
        managed_policy_arns=tuple(row.managed_policy_arns),
        duration_seconds=row.duration_seconds,
        accepts_session_name=row.accepts_session_name,
        requires_instance_properties=row.requires_instance_properties,
        mappings=tuple((Field(name), tuple(specifiers)) for name, specifiers in row.mappings),
    )


def _profile_values(profile: Profile) -> Mapping[str, Any]:
    return {
        "role_arns": profile.role_arns,
        "session_policy": profile.session_policy,
        "managed_policy_arns": profile.managed_policy_arns,
        "duration_seconds": profile.duration_seconds,
        "accepts_session_name": profile.accepts_session_name,
        "requires_instance_properties": profile.requires_instance_properties,
        "mappings": [[name.value, specifiers] for name, specifiers in profile.mappings],
    }


def _load_crl(row: Row[Any]) -> ImportedCrl:
    return ImportedCrl(**_shared(row), anchor_arn=row.anchor_arn, data=row.data, der=row.der)


def _crl_values(crl: ImportedCrl) -> Mapping[str, Any]:
    return {"anchor_arn": crl.anchor_arn, "data": crl.data, "der": crl.der}


ANCHORS = Kind("trust-anchor", trust_anchor, _load_anchor, _anchor_values)
PROFILES = Kind("profile", anywhere_profile, _load_profile, _profile_values)
CRLS = Kind("crl", anywhere_crl, _load_crl, _crl_values)
