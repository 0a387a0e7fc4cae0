"""Who asks too often: token buckets of principals and of operations, and the refusal in the service's own words.

A call that somebody known has signed is weighed twice: before its body is parsed against what its principal may send at
all, and once it is known what it asks for against the quota of its account, as AWS has it. What our own rooms ask of
each other is not weighed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from greatseal.aws.quotas import NO_QUOTAS, Parameters, Quota, Quotas
from greatseal.aws.wire import WireError
from greatseal.edge.buckets import Buckets, Limit
from greatseal.kernel.caller import Caller

_RATE_EXCEEDED = "Rate exceeded"
_MESSAGES = {
    "kms": "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    "organizations": "You have sent too many requests in too short a period of time. Try again later.",
}
# The others have the common name, which each protocol spells in its own way (`aws.errors`).
_CODES = {"organizations": "TooManyRequestsException"}
# A flood of refusals must not become a flood of writes.
_TOLD = Limit(rate=1 / 60, burst=1)


@dataclass(eq=False)
class Throttled(WireError):
    """The call was not even looked at. `told` means that the audit trail need not hear of this one."""

    told: bool = False


class Throttle:
    """The buckets of one process."""

    def __init__(
        self,
        quotas: Quotas = NO_QUOTAS,
        *,
        principal: Quota | None = None,
        share: float = 1.0,
        regional: bool = False,
        seconds: Callable[[], float] = lambda: 0.0,
        refused: Callable[[str, str], None] = lambda operation, quota: None,
    ) -> None:
        """`principal` is what one principal may send, whatever it asks for.

        `share` is the part of its account's quotas that it may use up alone. Without `regional` all Regions share the
        buckets of an account. `seconds` is a clock that does not go back. `refused` hears of each refusal: the
        operation, and whether it was the quota of the `account` or of the `principal`.
        """
        self._operations = quotas.operations
        self._limits = {name: _limit(quota) for name, quota in quotas.buckets.items()}
        self._shares = {
            name: _limit(Quota(quota.rate * share, quota.burst and quota.burst * share))
            for name, quota in quotas.buckets.items()
            if share < 1
        }
        self._principal = _limit(principal) if principal else None
        self._regional = regional
        self._seconds = seconds
        self._refused = refused
        self._buckets = Buckets()
        self._told = Buckets()

    def enter(self, caller: Caller) -> None:
        """Weighs a call before it is parsed. Raises Throttled."""
        if self._principal is not None and caller.account:
            wait = self._buckets.take(_owner(caller), self._principal, now := self._seconds())
            if wait:
                raise self._refusal(caller, "principal", wait, now)

    def admit(self, caller: Caller, parameters: Parameters) -> None:
        """Weighs a call by what it asks for. Raises Throttled."""
        bucket = self._bucket(caller, parameters)
        if bucket is None:
            return
        now = self._seconds()
        shared = (bucket, caller.account, caller.region if self._regional else "")
        share = self._shares.get(bucket)
        if share is not None and (wait := self._buckets.take((*shared, _owner(caller)), share, now)):
            raise self._refusal(caller, "principal", wait, now)
        if wait := self._buckets.take(shared, self._limits[bucket], now):
            if share is not None:
                self._buckets.give_back((*shared, _owner(caller)), share)
            raise self._refusal(caller, "account", wait, now)

    def give_back(self, caller: Caller, parameters: Parameters) -> None:
        """Undoes `enter` and `admit`: the call was not made after all, and will come again."""
        if self._principal is not None:
            self._buckets.give_back(_owner(caller), self._principal)
        bucket = self._bucket(caller, parameters)
        if bucket is not None:
            shared = (bucket, caller.account, caller.region if self._regional else "")
            self._buckets.give_back(shared, self._limits[bucket])
            if bucket in self._shares:
                self._buckets.give_back((*shared, _owner(caller)), self._shares[bucket])

    def _bucket(self, caller: Caller, parameters: Parameters) -> str | None:
        """The name of the bucket that this call is taken from."""
        found = self._operations.get(caller.operation)
        if found is None or not caller.account:
            return None
        return found if isinstance(found, str) else found(parameters)

    def _refusal(self, caller: Caller, quota: str, wait: float, now: float) -> Throttled:
        self._refused(caller.operation, quota)
        service = caller.operation.partition(":")[0]
        return Throttled(
            _CODES.get(service, "ThrottlingException"),
            _MESSAGES.get(service, _RATE_EXCEEDED),
            # Whole seconds (RFC 9110 section 10.2.3).
            headers=((b"retry-after", str(ceil(wait)).encode("ascii")),),
            told=self._told.take((caller.operation, _owner(caller)), _TOLD, now) > 0,
        )


def _owner(caller: Caller) -> str:
    """Who counts as one: a role or a user however many sessions it has."""
    return caller.session.issuer_arn if caller.session else caller.principal_arn


def _limit(quota: Quota) -> Limit:
    return Limit(quota.rate, quota.rate if quota.burst is None else quota.burst)
