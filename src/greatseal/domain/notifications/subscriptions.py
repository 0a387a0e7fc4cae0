"""The verbs on subscriptions: asking, confirming, ending, and what their owners decide."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from greatseal.domain.audit import Audit
from greatseal.domain.delivery import Parcel
from greatseal.domain.notifications import checks, filters, letters
from greatseal.domain.notifications.links import Links
from greatseal.domain.notifications.model import (
    MOST_SUBSCRIPTIONS,
    TOKEN_LIFETIME,
    Options,
    Protocol,
    State,
    Subscription,
)
from greatseal.domain.notifications.ports import Post, Signatory
from greatseal.domain.notifications.refusals import (
    Invalid,
    NoSuchSubscription,
    NotYours,
    Throttled,
    TooManySubscriptions,
)
from greatseal.domain.notifications.store import subscriptions as store
from greatseal.domain.notifications.topics import PAGE, load
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

# Nobody's mailbox is filled with questions, whoever asks them: (so many, within).
_ASKED_AT_MOST = ((3, timedelta(hours=1)), (10, timedelta(days=1)))


class Subscriptions:
    """Who hears of what. Nothing is sent to an endpoint that has not agreed, except the question."""

    def __init__(
        self,
        *,
        storage: Storage,
        post: Post,
        signatory: Signatory,
        links: Links,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._post = post
        self._signatory = signatory
        self._links = links
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    def subscribe(
        self, caller: Caller, topic_arn: str, protocol: Protocol, endpoint: str, options: Options
    ) -> Subscription:
        """A subscription that waits for its endpoint's word; one that is there already as it is.

        A queue of the caller's own account needs no word. Raises NoSuchTopic, Invalid, Throttled and
        TooManySubscriptions.
        """
        checks.check_endpoint(protocol, endpoint)
        check_options(options)
        token = self._entropy.token_bytes(64).hex()
        new = Subscription(
            arn=f"{topic_arn}:{new_uuid(self._entropy)}",
            topic_arn=topic_arn,
            account=caller.account,
            principal=caller.principal_arn,
            protocol=protocol,
            endpoint=endpoint,
            state=State.PENDING,
            created_at=self._clock.now(),
            options=options,
        )
        seal = None if protocol.is_mail else self._signatory.seal()
        message_id = new_uuid(self._entropy)

        def work(tx: Tx) -> Subscription:
            topic, now = load(tx, topic_arn), self._clock.now()
            present = store.at_endpoint(tx, topic_arn, protocol, endpoint)
            if present is not None and present.state is State.CONFIRMED:
                if present.options != options and options != Options():
                    raise Invalid("Attributes Reason: Subscription already exists with different attributes")
                return present
            if sum(store.count(tx, topic_arn, now=now).values()) >= MOST_SUBSCRIPTIONS:
                raise TooManySubscriptions
            item = new if present is None else replace(new, arn=present.arn)
            if protocol is Protocol.SQS and Arn.parse(endpoint).account == caller.account:
                item = replace(item, state=State.CONFIRMED, authenticated=True)
            else:
                item = _with_token(item, token, now)
                self._ask(tx, letters.question(topic, item, token, message_id, now, self._links, seal), item, now)
            store.put(tx, item)
            self._audit.record(tx, caller, topic_arn, item.arn)
            return item

        return self._storage.transact(work)

    def confirm(
        self,
        topic_arn: str | None,
        token: str,
        *,
        caller: Caller | None = None,
        guarded: bool = False,
        by: Callable[[str], Caller],
    ) -> Subscription:
        """Confirms by the token that only the endpoint got; a token is good once, for two days.

        `guarded` makes links of mails unable to end it. `by` is who acts when nobody signed. Raises Invalid.
        """

        def work(tx: Tx) -> Subscription:
            found = self._of_token(tx, token)
            if found is None or (topic_arn is not None and topic_arn != found.topic_arn):
                raise Invalid("Token")
            done = replace(
                found,
                state=State.CONFIRMED,
                token_digest=None,
                token_expires=None,
                authenticated=caller is not None,
                guarded=guarded,
            )
            store.save(tx, done)
            self._audit.record(tx, caller or by(found.topic_arn), found.topic_arn, found.arn)
            return done

        return self._storage.transact(work)

    def asked(self, token: str) -> Subscription | None:
        """The subscription that a token would confirm."""
        return self._storage.read(lambda tx: self._of_token(tx, token))

    def find(self, arn: str) -> Subscription:
        """The subscription with this ARN. Raises NoSuchSubscription."""
        return self._storage.read(lambda tx: self._load(tx, arn))

    def owned(self, caller: Caller, arn: str) -> Subscription:
        """As `find`, for the account of the subscription or of its topic. Raises NoSuchSubscription and NotYours."""
        found = self.find(arn)
        if caller.account not in (found.account, Arn.parse(found.topic_arn).account):
            raise NotYours(
                f"User: {caller.principal_arn} is not authorized to perform: {caller.operation} on resource: {arn}"
            )
        return found

    def unsubscribe(self, caller: Caller, arn: str) -> None:
        """Ends a subscription for one of the two accounts that it concerns. One that is not there is no error."""
        self._end(arn, lambda _: caller)

    def unsubscribe_by_link(self, token: str, by: Callable[[str], Caller]) -> Subscription:
        """Ends a subscription for whoever has the link. Raises NoSuchSubscription, NotYours when that is not enough."""
        found = self.in_link(token)
        if found.guarded:
            raise NotYours("This subscription can be ended only by its owner, with a signed request.")
        self._end(found.arn, by)
        return found

    def in_link(self, token: str) -> Subscription:
        """The subscription that an unsubscribe link is for. Raises NoSuchSubscription."""
        return self.find(self._links.subscription_in(token))

    def change(self, caller: Caller, arn: str, change: Callable[[Options], Options]) -> None:
        """Changes what the owner decides. Raises NoSuchSubscription and Invalid."""

        def work(tx: Tx) -> None:
            found = self._load(tx, arn)
            options = change(found.options)
            check_options(options)
            store.save(tx, replace(found, options=options))
            self._audit.record(tx, caller, found.topic_arn, arn)

        self._storage.transact(work)

    def list(self, caller: Caller, *, token: str | None) -> Page[Subscription]:
        """The subscriptions of the caller's account in its region. Raises InvalidToken."""
        scope = (caller.account, caller.region, "ListSubscriptions")
        after = str(self._tokens.open(scope, token)[0]) if token else ""
        now = self._clock.now()
        found = self._storage.read(
            lambda tx: store.of_account(tx, caller.account, caller.region, after=after, limit=PAGE + 1, now=now)
        )
        return self._page(scope, found)

    def list_by_topic(self, caller: Caller, topic_arn: str, *, token: str | None) -> Page[Subscription]:
        """The subscriptions of a topic. Raises NoSuchTopic and InvalidToken."""
        scope = (caller.account, "ListSubscriptionsByTopic", topic_arn)
        after = str(self._tokens.open(scope, token)[0]) if token else ""
        now = self._clock.now()

        def work(tx: Tx) -> Sequence[Subscription]:
            load(tx, topic_arn)
            return store.of_topic(tx, topic_arn, after=after, limit=PAGE + 1, now=now)

        return self._page(scope, self._storage.read(work))

    def sweep(self) -> int:
        """Removes what nobody confirmed in time; how many subscriptions."""
        now = self._clock.now()

        def work(tx: Tx) -> int:
            store.forget_asked(tx, now - max(span for _, span in _ASKED_AT_MOST))
            return store.expire(tx, now)

        return self._storage.transact(work)

    def _end(self, arn: str, by: Callable[[str], Caller]) -> None:
        token = self._entropy.token_bytes(64).hex()
        message_id = new_uuid(self._entropy)
        seal = self._signatory.seal()

        def work(tx: Tx) -> None:
            now = self._clock.now()
            found = store.find(tx, arn, now=now)
            if found is None or found.state is State.ENDED:
                return
            self._post.close(tx, found.lane)
            if found.state is State.CONFIRMED and found.protocol in (Protocol.HTTP, Protocol.HTTPS):
                # Programs are told, and may take it back, as the real service has it.
                ended = _with_token(replace(found, state=State.ENDED), token, now)
                store.save(tx, ended)
                self._post.post(tx, [letters.farewell(ended, token, message_id, now, self._links, seal)])
            else:
                store.remove(tx, arn)
            self._audit.record(tx, by(found.topic_arn), found.topic_arn, arn)

        self._storage.transact(work)

    def _ask(self, tx: Tx, question: Parcel, item: Subscription, now: datetime) -> None:
        if item.protocol.is_mail:
            mailbox = checks.mailbox_of(item.endpoint)
            for most, span in _ASKED_AT_MOST:
                if store.asked_since(tx, mailbox, now - span) >= most:
                    raise Throttled("This address was asked for confirmation often enough. Try again later.")
            store.note_asked(tx, mailbox, now)
        self._post.post(tx, [question])

    def _of_token(self, tx: Tx, token: str) -> Subscription | None:
        digest = _digest(token)
        found = store.by_token(tx, digest, now=self._clock.now())
        return found if found is not None and compare_digest(found.token_digest or "", digest) else None

    def _load(self, tx: Tx, arn: str) -> Subscription:
        found = store.find(tx, arn, now=self._clock.now())
        if found is None or found.state is State.ENDED:
            raise NoSuchSubscription
        return found

    def _page(self, scope: tuple[str, ...], found: Sequence[Subscription]) -> Page[Subscription]:
        items = tuple(found[:PAGE])
        return Page(items, self._tokens.issue(scope, [items[-1].arn]) if len(found) > PAGE else None)


def check_options(options: Options) -> None:
    """Raises Invalid."""
    if options.filter_policy is not None:
        filters.check(options.filter_policy, of_body=options.filter_body)
    if options.dead_letter_arn is not None:
        checks.check_endpoint(Protocol.SQS, options.dead_letter_arn)


def _with_token(item: Subscription, token: str, now: datetime) -> Subscription:
    return replace(item, token_digest=_digest(token), token_expires=now + TOKEN_LIFETIME)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
