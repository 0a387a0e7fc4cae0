"""The verbs on topics themselves."""

import json
from collections.abc import Sequence
from dataclasses import replace

from greatseal.domain.access import ResourcePolicies, labels
from greatseal.domain.audit import Audit
from greatseal.domain.notifications import checks
from greatseal.domain.notifications.model import State, Topic
from greatseal.domain.notifications.ports import Post
from greatseal.domain.notifications.refusals import Invalid, NoSuchResource, NoSuchTopic
from greatseal.domain.notifications.store import subscriptions
from greatseal.domain.notifications.store import topics as store
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidPolicy
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

PAGE = 100
_SHARED = (
    "Publish",
    "Subscribe",
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "ListSubscriptionsByTopic",
)
"""What the policy of a topic can speak of."""


def load(tx: Tx, arn: str) -> Topic:
    """The topic with this ARN. Raises NoSuchTopic."""
    found = store.find(tx, arn)
    if found is None:
        raise NoSuchTopic
    return found


def default_policy(topic: Topic) -> str:
    """What a topic without a policy of its own says: its owner's account decides."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _SHARED],
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.account}},
    }
    document = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(document, separators=(",", ":"))


class Topics:
    """Makes, finds, lists, changes and removes topics."""

    def __init__(
        self,
        *,
        storage: Storage,
        resource_policies: ResourcePolicies,
        post: Post,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._policies = resource_policies
        self._post = post
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def create(
        self,
        caller: Caller,
        name: str,
        *,
        display_name: str | None = None,
        delivery_policy: str | None = None,
        policy: str | None = None,
        tags: Sequence[Tag] | None = None,
    ) -> str:
        """The ARN of a topic, made unless it is there as it is wanted. Raises Invalid and TooManyTags."""
        checks.check_name(name)
        new = Topic(str(caller.arn("sns", name)), self._clock.now(), display_name or "", delivery_policy)

        def work(tx: Tx) -> str:
            present = store.find(tx, new.arn)
            if present is not None:
                self._compare(tx, present, display_name, delivery_policy, policy, tags)
                return present.arn
            store.add(tx, new)
            if policy:
                self._set_policy(tx, new.arn, policy)
            self._tags.add(tx, new.arn, tags or ())
            self._audit.record(tx, caller, new.arn, response={"topic_arn": new.arn})
            return new.arn

        return self._storage.transact(work)

    def find(self, arn: str) -> Topic:
        """The topic with this ARN. Raises NoSuchTopic."""
        return self._storage.read(lambda tx: load(tx, arn))

    def describe(self, arn: str) -> tuple[Topic, dict[State, int], str]:
        """The topic, how many subscriptions are in which state, and the policy. Raises NoSuchTopic."""

        def work(tx: Tx) -> tuple[Topic, dict[State, int], str]:
            found = load(tx, arn)
            counts = subscriptions.count(tx, arn, now=self._clock.now())
            return found, counts, self._policies.document(tx, arn) or default_policy(found)

        return self._storage.read(work)

    def list(self, caller: Caller, *, token: str | None) -> Page[Topic]:
        """The caller's topics in its region by name. Raises InvalidToken."""
        scope = (caller.account, caller.region, "ListTopics")
        after = str(self._tokens.open(scope, token)[0]) if token else ""
        found = self._storage.read(
            lambda tx: store.listing(tx, caller.account, caller.region, after=after, limit=PAGE + 1)
        )
        items = tuple(found[:PAGE])
        return Page(items, self._tokens.issue(scope, [items[-1].name]) if len(found) > PAGE else None)

    def change(
        self,
        caller: Caller,
        arn: str,
        *,
        display_name: str | None = None,
        delivery_policy: str | None = None,
        policy: str | None = None,
    ) -> None:
        """Changes what is given; an empty text removes it. Raises NoSuchTopic and Invalid."""

        def work(tx: Tx) -> None:
            found = load(tx, arn)
            if display_name is not None:
                found = replace(found, display_name=display_name)
            if delivery_policy is not None:
                found = replace(found, delivery_policy=delivery_policy or None)
            store.save(tx, found)
            if policy is not None:
                self._set_policy(tx, arn, policy)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def delete(self, caller: Caller, arn: str) -> None:
        """Removes a topic with its subscriptions, and what waits for them. One that is not there is no error."""

        def work(tx: Tx) -> None:
            if store.find(tx, arn) is None:
                return
            for each in subscriptions.confirmed(tx, arn):
                self._post.close(tx, each.lane)
            subscriptions.remove_all(tx, arn)
            store.remove(tx, arn)
            self._policies.remove(tx, arn)
            self._tags.remove_all(tx, arn)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def add_permission(
        self, caller: Caller, arn: str, *, label: str, accounts: Sequence[str], actions: Sequence[str]
    ) -> None:
        """Lets other accounts do something with the topic. Raises NoSuchTopic and Invalid."""
        if any(action not in (*_SHARED, "*") for action in actions):
            raise Invalid("Policy statement action out of service scope!")

        def work(tx: Tx) -> None:
            found = load(tx, arn)
            document = labels.with_statement(
                self._policies.document(tx, arn) or default_policy(found),
                policy_id="__default_policy_ID",
                label=label,
                accounts=[f"arn:{caller.partition}:iam::{account}:root" for account in accounts],
                actions=[f"SNS:{action}" for action in actions],
                resource=arn,
            )
            if document is None:
                raise Invalid("Statement already exists")
            self._set_policy(tx, arn, document)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def remove_permission(self, caller: Caller, arn: str, label: str) -> None:
        """Takes a statement away; one that is not there is no error. Raises NoSuchTopic."""

        def work(tx: Tx) -> None:
            found = load(tx, arn)
            document = self._policies.document(tx, arn) or default_policy(found)
            was_there, rest = labels.without_statement(document, label)
            if was_there:
                self._set_policy(tx, arn, rest or "")
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags. Raises NoSuchResource, InvalidTag and TooManyTags."""

        def work(tx: Tx) -> None:
            self._exists(tx, arn)
            self._tags.add(tx, arn, tags)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def untag(self, caller: Caller, arn: str, keys: Sequence[str]) -> None:
        """Removes tags by key. Raises NoSuchResource and InvalidTag."""

        def work(tx: Tx) -> None:
            self._exists(tx, arn)
            self._tags.remove(tx, arn, [Tag(key) for key in keys])
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tags(self, arn: str) -> tuple[Tag, ...]:
        """The tags. Raises NoSuchResource."""

        def work(tx: Tx) -> tuple[Tag, ...]:
            self._exists(tx, arn)
            return self._tags.of(tx, arn)

        return self._storage.read(work)

    def _exists(self, tx: Tx, arn: str) -> None:
        if store.find(tx, arn) is None:
            raise NoSuchResource

    def _set_policy(self, tx: Tx, arn: str, document: str) -> None:
        if not document:
            self._policies.remove(tx, arn)
            return
        try:
            self._policies.put(tx, arn, document)
        except InvalidPolicy as error:
            raise Invalid(f"Policy Error: {error.message}") from None

    def _compare(
        self,
        tx: Tx,
        present: Topic,
        display_name: str | None,
        delivery_policy: str | None,
        policy: str | None,
        tags: Sequence[Tag] | None,
    ) -> None:
        """A topic is made again only as it is. Raises Invalid."""
        document = self._policies.document(tx, present.arn) or default_policy(present)
        pairs = (
            (display_name, present.display_name),
            (delivery_policy, present.delivery_policy),
            (policy, document),
        )
        if any(wanted is not None and wanted != found for wanted, found in pairs):
            raise Invalid("Attributes Reason: Topic already exists with different attributes")
        tagged = {tag.key: tag.value for tag in self._tags.of(tx, present.arn)}
        if tags is not None and {tag.key: tag.value for tag in tags} != tagged:
            raise Invalid("Tags Reason: Topic already exists with different tags")
