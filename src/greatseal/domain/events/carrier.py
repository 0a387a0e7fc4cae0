"""The carrier of parcels from one bus to another."""

from greatseal.domain.access import Access, Question
from greatseal.domain.access.model import root_arn
from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.domain.events.desk import key_of
from greatseal.domain.events.posting import Posted, post
from greatseal.domain.events.store import buses
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx


class BusCarrier:
    """Puts events on other buses. Those of other accounts need a policy that lets the account of the rule in."""

    def __init__(self, *, storage: Storage, access: Access, clock: Clock) -> None:
        self._storage = storage
        self._access = access
        self._clock = clock

    def carry(self, parcel: Parcel) -> None:
        """Returns once the event is on the bus, with the id that it had. Raises Undeliverable."""
        key = key_of(parcel.address["bus_arn"])
        rule = Arn.parse(parcel.address["rule_arn"])
        if key.account != rule.account and not self._allowed(rule, key.arn):
            raise Undeliverable(f"the policy of {key.arn} does not let account {rule.account} in", final=True)
        posted = Posted(parcel.body, key.arn, hops=int(parcel.address["hops"]))

        def work(tx: Tx) -> bool:
            found = buses.find(tx, key) is not None
            if found:
                post(tx, posted, parcel.order_key, self._clock.now())
            return found

        if not self._storage.transact(work):
            raise Undeliverable(f"there is no event bus {key.arn}", final=True)

    def _allowed(self, rule: Arn, bus_arn: str) -> bool:
        sender = Caller(
            account=rule.account,
            region=rule.region,
            principal_arn=root_arn(rule.account, rule.region),
            principal_id=rule.account,
            access_key_id="",
            request_id="",
            operation="events:PutEvents",
            at=self._clock.now(),
        )
        context = {"aws:SourceArn": str(rule), "events:eventBusInvocation": "true"}
        return self._access.verdict(sender, Question("events:PutEvents", bus_arn, context)).allowed
