"""The verbs of rules and their targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from greatseal.domain.events import refusals
from greatseal.domain.events.desk import Desk, Wanted, bus_of, check_pattern, check_quota, listen_to_trail, page
from greatseal.domain.events.model import DEFAULT_BUS, BusKey, Rule, RuleState, Target
from greatseal.domain.events.schedules import InvalidSchedule, compile_schedule
from greatseal.domain.events.store import connections
from greatseal.domain.events.store import rules as store
from greatseal.domain.events.store.tables import changed
from greatseal.domain.events.targets import Targets, account_of, is_destination
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.pages import Page
from greatseal.storage import Tx

MOST_RULES = 300
MOST_TARGETS = 5


@dataclass(frozen=True, slots=True)
class NewRule:
    """What a rule shall be."""

    name: str
    pattern: str | None = None
    schedule: str | None = None
    state: RuleState = RuleState.ENABLED
    description: str | None = None
    role_arn: str | None = None
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A target that was left as it was, and why."""

    target_id: str
    code: str
    message: str


class Rules:
    """Sets, shows and deletes rules and their targets."""

    def __init__(self, desk: Desk, targets: Targets) -> None:
        self._desk = desk
        self._targets = targets

    def put(self, caller: Caller, key: BusKey, new: NewRule) -> Rule:
        """Makes a rule or sets all of it anew; its targets and tags stay.

        Raises ValidationFailed, InvalidEventPattern, NotFound, LimitExceeded, InvalidTag.
        """
        now = self._desk.clock.now()
        if new.pattern is None and new.schedule is None:
            raise ValidationFailed("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        check_pattern(new.pattern)
        _check_schedule(new.schedule, key, now)

        def work(tx: Tx) -> Rule:
            bus_of(tx, key)
            old = store.find(tx, key.arn, new.name)
            if old is None:
                check_quota(store.count(tx, key.arn) + 1, MOST_RULES)
            rule = Rule(
                arn=key.rule_arn(new.name),
                name=new.name,
                bus_arn=key.arn,
                bus_name=key.name,
                state=new.state,
                pattern=new.pattern,
                schedule=new.schedule,
                description=new.description,
                role_arn=new.role_arn,
                created_by=caller.account if old is None else old.created_by,
            )
            self._store(tx, rule, now)
            if old is None:
                self._desk.tags.add(tx, rule.arn, new.tags)
            self._desk.audit.record(tx, caller, rule.arn, response={"rule_arn": rule.arn})
            return rule

        return self._desk.storage.transact(work)

    def find(self, key: BusKey, name: str) -> Rule:
        """The rule. Raises NotFound."""
        return self._desk.storage.read(lambda tx: _rule(tx, key, name))

    def page(self, key: BusKey, wanted: Wanted) -> Page[Rule]:
        """The rules of a bus by name. Raises NotFound."""

        def load(tx: Tx, after: str, limit: int) -> list[Rule]:
            bus_of(tx, key)
            return store.page(tx, key.arn, prefix=wanted.prefix, after=after, limit=limit)

        return page(self._desk, ("ListRules", key.arn), wanted, load, lambda rule: rule.name)

    def names_by_target(self, key: BusKey, target_arn: str, wanted: Wanted) -> Page[str]:
        """The names of the rules of a bus that send to a target. Raises NotFound."""

        def load(tx: Tx, after: str, limit: int) -> list[str]:
            bus_of(tx, key)
            return store.naming(tx, key.arn, target_arn, after=after, limit=limit)

        return page(self._desk, ("ListRuleNamesByTarget", key.arn, target_arn), wanted, load, str)

    def set_state(self, caller: Caller, key: BusKey, name: str, state: RuleState) -> None:
        """Enables or disables a rule. Raises NotFound."""
        now = self._desk.clock.now()

        def work(tx: Tx) -> None:
            rule = _rule(tx, key, name)
            if (rule.state is RuleState.DISABLED) != (state is RuleState.DISABLED):
                self._store(tx, replace(rule, state=state), now)
            self._desk.audit.record(tx, caller, rule.arn)

        self._desk.storage.transact(work)

    def delete(self, caller: Caller, key: BusKey, name: str) -> None:
        """Deletes a rule without targets; one that is not there is no error. Raises NotFound, ValidationFailed."""

        def work(tx: Tx) -> None:
            bus_of(tx, key)
            rule = store.find(tx, key.arn, name)
            if rule is not None:
                if store.targets(tx, rule.arn, limit=1):
                    raise ValidationFailed("Rule can't be deleted since it has targets.")
                store.remove(tx, rule.arn)
                self._desk.tags.remove_all(tx, rule.arn)
                changed(tx)
            self._desk.audit.record(tx, caller, key.rule_arn(name))

        self._desk.storage.transact(work)

    def put_targets(self, caller: Caller, key: BusKey, name: str, targets: Sequence[Target]) -> list[Failed]:
        """Adds or replaces targets of a rule; those that cannot be reached come back.

        Raises NotFound, ValidationFailed, LimitExceeded; then no target was changed.
        """
        ids = [target.id for target in targets]
        if len(set(ids)) != len(ids):
            raise ValidationFailed("Target ids must be unique within the request.")
        for target in targets:
            self._targets.check(target)

        def work(tx: Tx) -> list[Failed]:
            rule = _rule(tx, key, name)
            present = {target.id for target in store.targets(tx, rule.arn)}
            check_quota(len(present | set(ids)), MOST_TARGETS)
            failed = [found for target in targets if (found := self._unreachable(tx, key, target)) is not None]
            refused = {each.target_id for each in failed}
            store.put_targets(tx, rule, [target for target in targets if target.id not in refused])
            changed(tx)
            self._desk.audit.record(tx, caller, rule.arn)
            return failed

        return self._desk.storage.transact(work)

    def remove_targets(self, caller: Caller, key: BusKey, name: str, ids: Sequence[str]) -> list[Failed]:
        """Removes targets of a rule; those that it does not have come back. Raises NotFound."""

        def work(tx: Tx) -> list[Failed]:
            rule = _rule(tx, key, name)
            present = {target.id for target in store.targets(tx, rule.arn)}
            store.remove_targets(tx, rule.arn, [each for each in ids if each in present])
            changed(tx)
            self._desk.audit.record(tx, caller, rule.arn)
            return [
                Failed(each, "ResourceNotFoundException", f"Rule {name} does not have a target with the Id {each}.")
                for each in ids
                if each not in present
            ]

        return self._desk.storage.transact(work)

    def page_of_targets(self, key: BusKey, name: str, wanted: Wanted) -> Page[Target]:
        """The targets of a rule by id. Raises NotFound."""

        def load(tx: Tx, after: str, limit: int) -> list[Target]:
            return store.targets(tx, _rule(tx, key, name).arn, after=after, limit=limit)

        scope = ("ListTargetsByRule", key.rule_arn(name))
        return page(self._desk, scope, wanted, load, lambda target: target.id)

    def _store(self, tx: Tx, rule: Rule, now: datetime) -> None:
        """Stores a rule as it is from now on, and has the clock and the routers know."""
        works = rule.state is not RuleState.DISABLED
        if works and rule.schedule is not None:
            due = compile_schedule(rule.schedule, now).following(now)
            rule = replace(rule, schedule_from=now, next_at=due)
        else:
            rule = replace(rule, schedule_from=None, next_at=None)
        store.put(tx, rule)
        if works and rule.pattern is not None:
            listen_to_trail(tx, rule.pattern)
        changed(tx)

    def _unreachable(self, tx: Tx, key: BusKey, target: Target) -> Failed | None:
        reason = self._targets.unreachable(target)
        if reason is not None:
            return Failed(target.id, "ValidationException", reason)
        if is_destination(target.arn) and not (
            # Whoever calls a destination signs in with its secrets: those of another account are nobody's to use.
            account_of(target.arn) == key.account and connections.destination_at(tx, target.arn)
        ):
            name = target.arn.split("/")[1]
            return Failed(target.id, "ResourceNotFoundException", refusals.no_destination(name).message)
        return None


def _rule(tx: Tx, key: BusKey, name: str) -> Rule:
    bus_of(tx, key)
    found = store.find(tx, key.arn, name)
    if found is None:
        raise refusals.no_rule(name, key.name)
    return found


def _check_schedule(text: str | None, key: BusKey, now: datetime) -> None:
    if text is None:
        return
    if key.name != DEFAULT_BUS:
        raise ValidationFailed("ScheduleExpression is supported only on the default event bus.")
    try:
        compile_schedule(text, now)
    except InvalidSchedule as error:
        raise ValidationFailed(str(error)) from None
