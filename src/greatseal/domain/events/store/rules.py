"""Rules and their targets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update

from greatseal.domain.events.model import Rule, RuleState, Target
from greatseal.domain.events.store.listing import starts
from greatseal.domain.events.store.tables import event_rule, event_target
from greatseal.storage import Tx


def find(tx: Tx, bus_arn: str, name: str) -> Rule | None:
    """The rule of a bus with this name."""
    row = tx.first(select(event_rule).where(event_rule.c.bus_arn == bus_arn, event_rule.c.name == name))
    return None if row is None else _rule(row)


def at(tx: Tx, arn: str) -> Rule | None:
    """The rule with this ARN."""
    row = tx.first(select(event_rule).where(event_rule.c.arn == arn))
    return None if row is None else _rule(row)


def put(tx: Tx, rule: Rule) -> None:
    """Adds a rule or changes all of it."""
    values = {
        "pattern": rule.pattern,
        "schedule": rule.schedule,
        "state": rule.state.value,
        "description": rule.description,
        "role_arn": rule.role_arn,
        "schedule_from": rule.schedule_from,
        "next_at": rule.next_at,
    }
    if tx.execute(update(event_rule).where(event_rule.c.arn == rule.arn).values(values)).rowcount == 0:
        fixed = {"arn": rule.arn, "bus_arn": rule.bus_arn, "bus_name": rule.bus_name, "name": rule.name}
        tx.execute(insert(event_rule), {**values, **fixed, "created_by": rule.created_by})


def remove(tx: Tx, arn: str) -> None:
    """Removes a rule."""
    tx.execute(delete(event_rule).where(event_rule.c.arn == arn))


def page(tx: Tx, bus_arn: str, *, prefix: str, after: str, limit: int) -> list[Rule]:
    """Rules of a bus by name, from behind `after` on."""
    query = select(event_rule).where(event_rule.c.bus_arn == bus_arn, event_rule.c.name > after)
    rows = tx.all(query.where(*starts(event_rule, prefix)).order_by(event_rule.c.name).limit(limit))
    return [_rule(row) for row in rows]


def count(tx: Tx, bus_arn: str) -> int:
    """How many rules a bus has."""
    return int(tx.scalar(select(func.count()).select_from(event_rule).where(event_rule.c.bus_arn == bus_arn)))


def enabled(tx: Tx) -> list[Rule]:
    """The rules that work, of everybody."""
    rows = tx.all(select(event_rule).where(event_rule.c.state != RuleState.DISABLED.value).order_by(event_rule.c.arn))
    return [_rule(row) for row in rows]


def due(tx: Tx, now: datetime, limit: int) -> list[Rule]:
    """Rules whose schedule is due, the longest due first."""
    query = select(event_rule).where(event_rule.c.next_at <= now)
    return [_rule(row) for row in tx.all(query.order_by(event_rule.c.next_at, event_rule.c.arn).limit(limit))]


def scheduled(tx: Tx, after: datetime) -> list[Rule]:
    """Rules that are due later than an instant."""
    return [_rule(row) for row in tx.all(select(event_rule).where(event_rule.c.next_at > after))]


def move(tx: Tx, rule: Rule, next_at: datetime | None) -> bool:
    """Sets when the rule is due next; False when somebody else did or the rule is gone."""
    place = (event_rule.c.arn == rule.arn, event_rule.c.next_at == rule.next_at)
    return tx.execute(update(event_rule).where(*place).values(next_at=next_at)).rowcount == 1


def targets(tx: Tx, rule_arn: str, *, after: str = "", limit: int = 100) -> list[Target]:
    """Targets of a rule by id."""
    query = select(event_target).where(event_target.c.rule_arn == rule_arn, event_target.c.id > after)
    return [_target(row) for row in tx.all(query.order_by(event_target.c.id).limit(limit))]


def all_targets(tx: Tx) -> Mapping[str, list[Target]]:
    """The targets of all rules, by rule."""
    found: dict[str, list[Target]] = {}
    for row in tx.all(select(event_target).order_by(event_target.c.rule_arn, event_target.c.id)):
        found.setdefault(row.rule_arn, []).append(_target(row))
    return found


def put_targets(tx: Tx, rule: Rule, targets: Sequence[Target]) -> None:
    """Sets targets, each in place of the one with its id."""
    remove_targets(tx, rule.arn, [target.id for target in targets])
    for target in targets:
        row = {
            "rule_arn": rule.arn,
            "id": target.id,
            "bus_arn": rule.bus_arn,
            "arn": target.arn,
            "settings": msgspec.to_builtins(target),
        }
        tx.execute(insert(event_target), row)


def remove_targets(tx: Tx, rule_arn: str, ids: Sequence[str]) -> None:
    """Removes targets of a rule."""
    tx.execute(delete(event_target).where(event_target.c.rule_arn == rule_arn, event_target.c.id.in_(list(ids))))


def naming(tx: Tx, bus_arn: str, target_arn: str, *, after: str, limit: int) -> list[str]:
    """Names of the rules of a bus that have this target."""
    query = (
        select(event_rule.c.name)
        .join(event_target, event_target.c.rule_arn == event_rule.c.arn)
        .where(event_target.c.bus_arn == bus_arn, event_target.c.arn == target_arn, event_rule.c.name > after)
        .group_by(event_rule.c.name)
    )
    return [row.name for row in tx.all(query.order_by(event_rule.c.name).limit(limit))]


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        arn=row.arn,
        name=row.name,
        bus_arn=row.bus_arn,
        bus_name=row.bus_name,
        state=RuleState(row.state),
        pattern=row.pattern,
        schedule=row.schedule,
        description=row.description,
        role_arn=row.role_arn,
        created_by=row.created_by,
        schedule_from=row.schedule_from,
        next_at=row.next_at,
    )


def _target(row: Row[Any]) -> Target:
    return msgspec.convert(row.settings, Target)
