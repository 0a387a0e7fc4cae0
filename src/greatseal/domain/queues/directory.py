"""The verbs on queues themselves."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from greatseal.domain.access import ResourcePolicies, labels
from greatseal.domain.audit import Audit
from greatseal.domain.queues.model import FIFO, Counts, Queue, Settings, is_name
from greatseal.domain.queues.refusals import InvalidAttributeValue, NoSuchQueue, PurgedRecently, QueueExists
from greatseal.domain.queues.store import deduplication, messages
from greatseal.domain.queues.store import queues as store
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidParameter, InvalidPolicy
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

MAX_PAGE = 1000
_PURGE_EVERY = timedelta(seconds=60)
_SHARED = frozenset(
    {
        "*",
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "ChangeMessageVisibility",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
    }
)
"""What the owner of a queue may let others do by AddPermission."""


def load(tx: Tx, arn: str) -> Queue:
    """The queue with this ARN. Raises NoSuchQueue."""
    found = store.find(tx, arn)
    if found is None:
        raise NoSuchQueue
    return found


class Directory:
    """Makes, finds, lists, changes and removes queues."""

    def __init__(
        self,
        *,
        storage: Storage,
        resource_policies: ResourcePolicies,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._policies = resource_policies
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def create(
        self,
        caller: Caller,
        name: str,
        *,
        wanted: Mapping[str, Any],
        policy: str | None = None,
        tags: Sequence[Tag] = (),
    ) -> str:
        """The ARN of a queue with these settings, made unless it is there already.

        `wanted` are fields of `Settings`. Raises QueueExists when what is there differs in what is wanted,
        InvalidParameter, InvalidAttributeValue and TooManyTags.
        """
        settings = _checked_name(name, wanted)
        now = self._clock.now()
        new = Queue(str(caller.arn("sqs", name)), now, now, settings)

        def work(tx: Tx) -> str:
            present = store.find(tx, new.arn)
            if present is not None:
                for field, value in wanted.items():
                    if getattr(present.settings, field) != value:
                        raise QueueExists(
                            "A queue already exists with the same name and a different value for attribute "
                            f"{ATTRIBUTES[field]}"
                        )
                if policy is not None and not _same(policy, self._policies.document(tx, new.arn)):
                    raise QueueExists(
                        "A queue already exists with the same name and a different value for attribute Policy"
                    )
                return present.arn
            _check_redrive(tx, new)
            store.add(tx, new)
            self._set_policy(tx, new.arn, policy)
            self._tags.add(tx, new.arn, tags)
            self._audit.record(tx, caller, new.arn)
            return new.arn

        return self._storage.transact(work)

    def find(self, arn: str) -> Queue:
        """The queue with this ARN. Raises NoSuchQueue."""
        return self._storage.read(lambda tx: load(tx, arn))

    def describe(self, arn: str) -> tuple[Queue, Counts, str | None]:
        """The queue, its numbers of messages, and its policy. Raises NoSuchQueue."""

        def work(tx: Tx) -> tuple[Queue, Counts, str | None]:
            found = load(tx, arn)
            now = self._clock.now()
            oldest = now - timedelta(seconds=found.settings.retention)
            return found, messages.counts(tx, arn, now=now, not_before=oldest), self._policies.document(tx, arn)

        return self._storage.read(work)

    def list(self, caller: Caller, *, prefix: str, limit: int | None, token: str | None) -> Page[Queue]:
        """The caller's queues in its region by name; in pages only when a limit is given. Raises InvalidToken."""
        scope = (caller.account, caller.region, "ListQueues", prefix)
        after = str(self._tokens.open(scope, token)[0]) if token is not None else ""
        most = limit or MAX_PAGE
        found = self._storage.read(
            lambda tx: store.listing(tx, caller.account, caller.region, prefix=prefix, after=after, limit=most + 1)
        )
        return self._page(scope, found, most, lambda queue: queue.name, paged=limit is not None)

    def sources(self, caller: Caller, arn: str, *, limit: int | None, token: str | None) -> Page[Queue]:
        """The queues that give their dead letters to this one. Raises NoSuchQueue and InvalidToken."""
        scope = (caller.account, caller.region, "ListDeadLetterSourceQueues", arn)
        after = str(self._tokens.open(scope, token)[0]) if token is not None else ""
        most = limit or MAX_PAGE

        def work(tx: Tx) -> Sequence[Queue]:
            load(tx, arn)
            return store.sources(tx, arn, after=after, limit=most + 1)

        found = self._storage.read(work)
        return self._page(scope, found, most, lambda queue: queue.arn, paged=limit is not None)

    def change(self, caller: Caller, arn: str, changes: Mapping[str, Any], *, policy: str | None) -> None:
        """Changes fields of the settings, and the policy: an empty one removes it.

        Raises NoSuchQueue, InvalidAttributeValue.
        """

        def work(tx: Tx) -> None:
            found = load(tx, arn)
            settings = replace(found.settings, **changes)
            if settings.fifo != found.settings.fifo:
                raise InvalidAttributeValue("Invalid value for the parameter FifoQueue. Reason: Modifying queue type")
            _check_ordered(settings)
            changed = replace(found, settings=settings, modified_at=self._clock.now())
            if "redrive" in changes:
                _check_redrive(tx, changed)
            store.save(tx, changed)
            self._set_policy(tx, arn, policy)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def delete(self, caller: Caller, arn: str) -> None:
        """Removes a queue with all that is in it. Raises NoSuchQueue."""

        def work(tx: Tx) -> None:
            load(tx, arn)
            store.remove(tx, arn)
            messages.remove_all(tx, arn)
            deduplication.forget(tx, arn)
            self._policies.remove(tx, arn)
            self._tags.remove_all(tx, arn)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def purge(self, caller: Caller, arn: str) -> None:
        """Deletes all messages. Raises NoSuchQueue and PurgedRecently."""

        def work(tx: Tx) -> None:
            found, now = load(tx, arn), self._clock.now()
            if found.purged_at is not None and now - found.purged_at < _PURGE_EVERY:
                raise PurgedRecently(f"Only one PurgeQueue operation on {found.name} is allowed every 60 seconds.")
            messages.remove_all(tx, arn)
            store.save(tx, replace(found, purged_at=now))
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def add_permission(
        self, caller: Caller, arn: str, *, label: str, accounts: Sequence[str], actions: Sequence[str]
    ) -> None:
        """Lets other accounts do something with the queue. Raises NoSuchQueue, InvalidParameter, InvalidPolicy."""
        for action in actions:
            if action not in _SHARED:
                raise InvalidParameter(
                    f"Value SQS:{action} for parameter ActionName is invalid. Reason: Only the queue owner is allowed "
                    "to invoke this action."
                )

        def work(tx: Tx) -> None:
            load(tx, arn)
            roots = [f"arn:{caller.partition}:iam::{account}:root" for account in accounts]
            document = labels.with_statement(
                self._policies.document(tx, arn),
                policy_id=f"{arn}/SQSDefaultPolicy",
                label=label,
                accounts=roots,
                actions=[f"SQS:{action}" for action in actions],
                resource=arn,
            )
            if document is None:
                raise InvalidParameter(f"Value {label} for parameter Label is invalid. Reason: Already exists.")
            self._policies.put(tx, arn, document)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def remove_permission(self, caller: Caller, arn: str, label: str) -> None:
        """Takes a statement away. Raises NoSuchQueue and InvalidParameter."""

        def work(tx: Tx) -> None:
            load(tx, arn)
            was_there, rest = labels.without_statement(self._policies.document(tx, arn), label)
            if not was_there:
                raise InvalidParameter(f"Value {label} for parameter Label is invalid. Reason: can't find label.")
            self._set_policy(tx, arn, rest or "")
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags. Raises NoSuchQueue, InvalidTag and TooManyTags."""

        def work(tx: Tx) -> None:
            load(tx, arn)
            self._tags.add(tx, arn, tags)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def untag(self, caller: Caller, arn: str, keys: Sequence[str]) -> None:
        """Removes tags by key. Raises NoSuchQueue and InvalidTag."""

        def work(tx: Tx) -> None:
            load(tx, arn)
            self._tags.remove(tx, arn, [Tag(key) for key in keys])
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tags(self, arn: str) -> tuple[Tag, ...]:
        """The tags. Raises NoSuchQueue."""
        return self._storage.read(lambda tx: self._tags.of(tx, load(tx, arn).arn))

    def _set_policy(self, tx: Tx, arn: str, document: str | None) -> None:
        if document is None:
            return
        if not document:
            self._policies.remove(tx, arn)
            return
        try:
            self._policies.put(tx, arn, document)
        except InvalidPolicy:
            raise InvalidAttributeValue("Invalid value for the parameter Policy.") from None

    def _page(
        self, scope: tuple[str, ...], found: Sequence[Queue], most: int, key: Callable[[Queue], str], *, paged: bool
    ) -> Page[Queue]:
        items = tuple(found[:most])
        # Without a limit the listing simply ends after the thousandth.
        more = paged and len(found) > most
        return Page(items, self._tokens.issue(scope, [key(items[-1])]) if more else None)


ATTRIBUTES: Mapping[str, str] = {
    "delay": "DelaySeconds",
    "maximum_size": "MaximumMessageSize",
    "retention": "MessageRetentionPeriod",
    "wait": "ReceiveMessageWaitTimeSeconds",
    "visibility": "VisibilityTimeout",
    "redrive": "RedrivePolicy",
    "allowance": "RedriveAllowPolicy",
    "fifo": "FifoQueue",
    "content_deduplication": "ContentBasedDeduplication",
    "deduplication_scope": "DeduplicationScope",
    "throughput_limit": "FifoThroughputLimit",
}
"""Fields of the settings as callers know them."""


def _checked_name(name: str, wanted: Mapping[str, Any]) -> Settings:
    settings = Settings(**wanted)
    if not is_name(name) or name.endswith(FIFO) != settings.fifo:
        if settings.fifo and is_name(name):
            raise InvalidParameter("The fifo queue name must end in .fifo")
        raise InvalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    _check_ordered(settings)
    return settings


def _check_ordered(settings: Settings) -> None:
    plain = Settings()
    for field in ("content_deduplication", "deduplication_scope", "throughput_limit"):
        if not settings.fifo and getattr(settings, field) != getattr(plain, field):
            raise InvalidAttributeValue(f"You can specify the {ATTRIBUTES[field]} only when FifoQueue is set to true.")


def _check_redrive(tx: Tx, source: Queue) -> None:
    """The queue for dead letters must be there, of the same kind, and willing. Raises InvalidAttributeValue."""
    redrive = source.settings.redrive
    if redrive is None:
        return

    def refused(reason: str) -> InvalidAttributeValue:
        return InvalidAttributeValue(f"Value for parameter RedrivePolicy is invalid. Reason: {reason}")

    own, other = Arn.parse(source.arn), Arn.parse(redrive.target_arn)
    if (own.account, own.region) != (other.account, other.region):
        raise refused("Dead-letter queue must be in the same account and Region as its source.")
    target = source if redrive.target_arn == source.arn else store.find(tx, redrive.target_arn)
    if target is None:
        raise refused("Dead letter target does not exist.")
    if target.settings.fifo != source.settings.fifo:
        raise refused("Dead-letter queue must be same type of queue as the source.")
    allowance = target.settings.allowance
    if allowance is None or allowance.permission == "allowAll":
        return
    if allowance.permission == "denyAll" or source.arn not in allowance.source_arns:
        raise refused("Dead-letter target owner does not permit redrive from this source queue.")


def _same(document: str, present: str | None) -> bool:
    try:
        return present is not None and bool(json.loads(document) == json.loads(present))
    except ValueError:
        return False
