"""SNS: topics, subscriptions, publishing (workflows.md 15, 16)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from greatseal.aws import sns_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.errors import code_for
from greatseal.aws.tags import conditions, from_wire, to_wire
from greatseal.domain.access import Access, Question
from greatseal.domain.notifications import NotificationRoom, checks
from greatseal.domain.notifications.model import Message, State, Subscription
from greatseal.domain.notifications.refusals import (
    EmptyBatch,
    EntryIdsNotDistinct,
    Invalid,
    InvalidEntryId,
    NoSuchSubscription,
    TooManyEntries,
)
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import Refusal

_Parameters = dict[str, Any]
_Result = Mapping[str, Any] | None
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST_ENTRIES = 10


class Notifications:
    """The operations of SNS."""

    def __init__(self, *, access: Access, room: NotificationRoom, outsider: Callable[[str], Caller]) -> None:
        """`outsider` is who acts on a topic (ARN) without a signature."""
        self._access = access
        self._topics = room.topics
        self._subscriptions = room.subscriptions
        self._publishing = room.publishing
        self._outsider = outsider

    def create_topic(self, caller: Caller, p: _Parameters) -> _Result:
        """CreateTopic."""
        tags = from_wire(p.get("Tags"))
        arn = str(caller.arn("sns", p["Name"]))
        self._access.authorize(caller, Question("sns:CreateTopic", arn, conditions(tags)))
        if p.get("DataProtectionPolicy"):
            raise Invalid("DataProtectionPolicy Reason: messages are not searched for personal data here")
        wanted = shapes.new_topic(p.get("Attributes") or {})
        made = self._topics.create(caller, p["Name"], **wanted, tags=tags if p.get("Tags") is not None else None)
        return {"TopicArn": made}

    def delete_topic(self, caller: Caller, p: _Parameters) -> _Result:
        """DeleteTopic."""
        self._topics.delete(caller, self._asked(caller, p["TopicArn"]))
        return None

    def list_topics(self, caller: Caller, p: _Parameters) -> _Result:
        """ListTopics."""
        self._access.authorize(caller, Question("sns:ListTopics", str(caller.arn("sns", "*"))))
        page = self._topics.list(caller, token=p.get("NextToken"))
        return {"Topics": [{"TopicArn": each.arn} for each in page.items], "NextToken": page.next_token}

    def get_topic_attributes(self, caller: Caller, p: _Parameters) -> _Result:
        """GetTopicAttributes."""
        found = self._topics.describe(self._asked(caller, p["TopicArn"]))
        return {"Attributes": shapes.topic_attributes(*found)}

    def set_topic_attributes(self, caller: Caller, p: _Parameters) -> _Result:
        """SetTopicAttributes."""
        arn = self._asked(caller, p["TopicArn"])
        changes = shapes.topic_changes(p["AttributeName"], p.get("AttributeValue") or "")
        self._topics.change(caller, arn, **changes)
        return None

    def add_permission(self, caller: Caller, p: _Parameters) -> _Result:
        """AddPermission."""
        arn = self._asked(caller, p["TopicArn"])
        if not p["AWSAccountId"] or not p["ActionName"]:
            raise Invalid("AWSAccountId and ActionName must not be empty")
        self._topics.add_permission(caller, arn, label=p["Label"], accounts=p["AWSAccountId"], actions=p["ActionName"])
        return None

    def remove_permission(self, caller: Caller, p: _Parameters) -> _Result:
        """RemovePermission."""
        self._topics.remove_permission(caller, self._asked(caller, p["TopicArn"]), p["Label"])
        return None

    def subscribe(self, caller: Caller, p: _Parameters) -> _Result:
        """Subscribe."""
        keys = {"sns:Protocol": p["Protocol"], "sns:Endpoint": p.get("Endpoint") or ""}
        arn = self._asked(caller, p["TopicArn"], context=keys)
        protocol = checks.protocol_of(p["Protocol"])
        options = shapes.options_of(p.get("Attributes") or {})
        made = self._subscriptions.subscribe(caller, arn, protocol, p.get("Endpoint") or "", options)
        told = made.state is State.CONFIRMED or p.get("ReturnSubscriptionArn")
        return {"SubscriptionArn": made.arn if told else "pending confirmation"}

    def confirm_subscription(self, caller: Caller, p: _Parameters) -> _Result:
        """ConfirmSubscription. The token is the proof; whoever has it asks only its own account."""
        arn = self._topic_arn(caller, p["TopicArn"])
        self._access.authorize(caller, Question("sns:ConfirmSubscription", arn, owner=caller.account))
        guarded = (p.get("AuthenticateOnUnsubscribe") or "").lower() == "true"
        done = self._subscriptions.confirm(arn, p["Token"], caller=caller, guarded=guarded, by=self._outsider)
        return {"SubscriptionArn": done.arn}

    def unsubscribe(self, caller: Caller, p: _Parameters) -> _Result:
        """Unsubscribe. Either account that it concerns may."""
        arn = _subscription_arn(p)
        topic = arn.rpartition(":")[0]
        self._access.authorize(caller, Question("sns:Unsubscribe", topic, owner=caller.account))
        try:
            self._subscriptions.owned(caller, arn)
        except NoSuchSubscription:
            return None
        self._subscriptions.unsubscribe(caller, arn)
        return None

    def list_subscriptions(self, caller: Caller, p: _Parameters) -> _Result:
        """ListSubscriptions."""
        self._access.authorize(caller, Question("sns:ListSubscriptions", str(caller.arn("sns", "*"))))
        page = self._subscriptions.list(caller, token=p.get("NextToken"))
        return {"Subscriptions": [shapes.listed(each) for each in page.items], "NextToken": page.next_token}

    def list_subscriptions_by_topic(self, caller: Caller, p: _Parameters) -> _Result:
        """ListSubscriptionsByTopic."""
        arn = self._asked(caller, p["TopicArn"])
        page = self._subscriptions.list_by_topic(caller, arn, token=p.get("NextToken"))
        return {"Subscriptions": [shapes.listed(each) for each in page.items], "NextToken": page.next_token}

    def get_subscription_attributes(self, caller: Caller, p: _Parameters) -> _Result:
        """GetSubscriptionAttributes."""
        return {"Attributes": shapes.subscription_attributes(self._owned(caller, p))}

    def set_subscription_attributes(self, caller: Caller, p: _Parameters) -> _Result:
        """SetSubscriptionAttributes."""
        found = self._owned(caller, p)
        change = shapes.with_option(p["AttributeName"], p.get("AttributeValue") or "")
        self._subscriptions.change(caller, found.arn, change)
        return None

    def publish(self, caller: Caller, p: _Parameters) -> _Result:
        """Publish."""
        if p.get("PhoneNumber"):
            raise Invalid("PhoneNumber Reason: text messages to telephones are not sent from here")
        arn = p.get("TopicArn") or p.get("TargetArn")
        if not arn:
            raise Invalid("TopicArn or TargetArn Reason: no value for required parameter")
        asked = self._asked(caller, arn)
        return {"MessageId": self._publishing.publish(caller, asked, shapes.message_of(p))}

    def publish_batch(self, caller: Caller, p: _Parameters) -> _Result:
        """PublishBatch."""
        arn = self._asked(caller, p["TopicArn"], "sns:Publish")
        entries = p["PublishBatchRequestEntries"]
        ids = _ids(entries)
        good: list[tuple[str, Message]] = []
        failed = []
        for entry_id, entry in zip(ids, entries, strict=True):
            try:
                good.append((entry_id, shapes.message_of(entry)))
            except Refusal as refusal:
                failed.append(_failure(entry_id, refusal))
        done = []
        outcomes = self._publishing.publish_batch(caller, arn, [message for _, message in good])
        for (entry_id, _), outcome in zip(good, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                failed.append(_failure(entry_id, outcome))
            else:
                done.append({"Id": entry_id, "MessageId": outcome})
        return {"Successful": done, "Failed": failed}

    def tag_resource(self, caller: Caller, p: _Parameters) -> _Result:
        """TagResource."""
        tags = from_wire(p["Tags"])
        self._topics.tag(caller, self._asked(caller, p["ResourceArn"], context=conditions(tags)), tags)
        return None

    def untag_resource(self, caller: Caller, p: _Parameters) -> _Result:
        """UntagResource."""
        context = {"aws:TagKeys": tuple(p["TagKeys"])}
        self._topics.untag(caller, self._asked(caller, p["ResourceArn"], context=context), p["TagKeys"])
        return None

    def list_tags_for_resource(self, caller: Caller, p: _Parameters) -> _Result:
        """ListTagsForResource."""
        return {"Tags": to_wire(self._topics.tags(self._asked(caller, p["ResourceArn"])))}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "AddPermission": self.add_permission,
            "ConfirmSubscription": self.confirm_subscription,
            "CreateTopic": self.create_topic,
            "DeleteTopic": self.delete_topic,
            "GetSubscriptionAttributes": self.get_subscription_attributes,
            "GetTopicAttributes": self.get_topic_attributes,
            "ListSubscriptions": self.list_subscriptions,
            "ListSubscriptionsByTopic": self.list_subscriptions_by_topic,
            "ListTagsForResource": self.list_tags_for_resource,
            "ListTopics": self.list_topics,
            "Publish": self.publish,
            "PublishBatch": self.publish_batch,
            "RemovePermission": self.remove_permission,
            "SetSubscriptionAttributes": self.set_subscription_attributes,
            "SetTopicAttributes": self.set_topic_attributes,
            "Subscribe": self.subscribe,
            "TagResource": self.tag_resource,
            "Unsubscribe": self.unsubscribe,
            "UntagResource": self.untag_resource,
        }

    def _asked(
        self,
        caller: Caller,
        arn: str,
        action: str | None = None,
        *,
        context: Mapping[str, str | tuple[str, ...]] | None = None,
    ) -> str:
        """The ARN of the topic of a request, once the caller may do this to it. Raises Invalid and AccessDenied."""
        checked = self._topic_arn(caller, arn)
        self._access.authorize(caller, Question(action or caller.operation, checked, context or {}))
        return checked

    def _topic_arn(self, caller: Caller, text: str) -> str:
        """Raises Invalid for what is not the ARN of a topic in the caller's region."""
        try:
            arn = Arn.parse(text)
        except ValueError:
            parts = text.count(":") + 1
            raise Invalid(f"TopicArn Reason: An ARN must have at least 6 elements, not {parts}") from None
        if arn.service != "sns" or arn.region != caller.region or not arn.account or ":" in arn.resource:
            raise Invalid("TopicArn")
        return text

    def _owned(self, caller: Caller, p: _Parameters) -> Subscription:
        arn = _subscription_arn(p)
        question = Question(caller.operation, arn.rpartition(":")[0], owner=caller.account)
        self._access.authorize(caller, question)
        return self._subscriptions.owned(caller, arn)


def _subscription_arn(p: _Parameters) -> str:
    """Raises Invalid."""
    text: str = p["SubscriptionArn"]
    if text.count(":") < 5:
        raise Invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {text.count(':') + 1}")
    if text.count(":") != 6 or text.split(":")[2] != "sns":
        raise Invalid("SubscriptionArn")
    return text


def _ids(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of a batch. Raises EmptyBatch, TooManyEntries, InvalidEntryId and EntryIdsNotDistinct."""
    if not entries:
        raise EmptyBatch
    if len(entries) > _MOST_ENTRIES:
        raise TooManyEntries
    ids = [entry["Id"] for entry in entries]
    if any(not _ENTRY_ID.fullmatch(each) for each in ids):
        raise InvalidEntryId
    if len(set(ids)) != len(ids):
        raise EntryIdsNotDistinct
    return ids


def _failure(entry_id: str, refusal: Refusal) -> dict[str, Any]:
    code = code_for("sns", type(refusal))
    return {"Id": entry_id, "SenderFault": True, "Code": code, "Message": refusal.message}
