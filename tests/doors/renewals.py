"""What tests of managed renewal share: the use of certificates, time that passes, and what was told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs

from doors.acm_material import Acm
from faults.recovery import caller
from greatseal.kernel.caller import Caller

ACTION, AVAILABLE = "ACM Certificate Renewal Action Required", "ACM Certificate Available"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
OTHER = "arn:aws:custom:::web-1"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def owner(acm: Acm, **changes: Any) -> Caller:
    return structs.replace(caller(), operation="greatseal:AssociateCertificate", at=acm.now, **changes)


def associate(acm: Acm, arn: str, resource: str = LISTENER) -> None:
    acm.installation.rooms.renewals.associations.associate(owner(acm), arn, resource)


def dissociate(acm: Acm, arn: str, resource: str = LISTENER) -> None:
    acm.installation.rooms.renewals.associations.dissociate(owner(acm), arn, resource)


def sweep(acm: Acm) -> int:
    """Rounds until nothing is due; how many certificates were looked at."""
    looked_at = 0
    while (done := acm.installation.rooms.renewals.managed.look()).looked_at:
        looked_at += done.looked_at
    return looked_at


def live(acm: Acm, days: float, *, each: timedelta = HOUR) -> None:
    """Time passes, and what is due is done."""
    until = acm.now + days * DAY
    while acm.now < until:
        acm.clock.advance(each)
        acm.installation.rooms.publics.validating.validation.end_overdue()
        sweep(acm)
        acm.work()


def end_of(acm: Acm, arn: str) -> datetime:
    end: datetime = acm.detail(arn)["NotAfter"]
    return end.astimezone(UTC)


def actions(acm: Acm, arn: str) -> list[dict[str, Any]]:
    return [each["detail"] for each in acm.events(ACTION) if each["resources"] == [arn]]


def renewals(acm: Acm, arn: str) -> list[dict[str, Any]]:
    return [
        each["detail"]
        for each in acm.events(AVAILABLE)
        if each["resources"] == [arn] and each["detail"]["Action"] == "RENEWAL"
    ]
