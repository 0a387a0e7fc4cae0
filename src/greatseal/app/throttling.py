"""How often callers may ask, from the settings."""

import time
from collections.abc import Callable

from greatseal.aws.catalogue import SERVICES
from greatseal.aws.protocol.models import load_services
from greatseal.aws.quotas import NO_QUOTAS, PUBLISHED, Quota
from greatseal.aws.throttling import Throttle
from greatseal.settings import Settings


def throttle(
    settings: Settings,
    *,
    workers: int,
    refused: Callable[[str, str], None],
    seconds: Callable[[], float] = time.monotonic,
) -> Throttle:
    """The buckets of one of so many worker processes, each of which has its part of every quota.

    Raises OSError when the settings name an operation that no service has.
    """
    chosen = settings.quotas
    named = dict(each.split("=") for each in chosen.operations)
    if named and (unknown := sorted(named.keys() - _known())):
        raise OSError(f"quotas.operations: no service has the operation {unknown[0]}")
    quotas = PUBLISHED.scaled(chosen.scale) if chosen.rates == "aws" else NO_QUOTAS
    quotas = quotas.with_own({operation: float(rate) for operation, rate in named.items()})
    return Throttle(
        quotas.scaled(1 / workers),
        principal=Quota(chosen.principal_rate / workers) if chosen.principal_rate else None,
        share=chosen.principal_share,
        # Where any name of a Region is served, a new one must not be a new bucket.
        regional=bool(settings.enabled_regions),
        seconds=seconds,
        refused=refused,
    )


def _known() -> frozenset[str]:
    return frozenset(
        f"{service.signing_name}:{operation}"
        for service in load_services(list(SERVICES))
        for operation in service.operations
    )
