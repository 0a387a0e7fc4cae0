"""The events of `aws.health` about renewals that somebody has to look after (acm.md 11)."""

from datetime import datetime
from email.utils import format_datetime

from greatseal.domain.certificates.model import FailureReason, ManagedCertificate, Type
from greatseal.domain.events import Event
from greatseal.kernel.arn import partition_of


def not_renewed(item: ManagedCertificate, days: int, now: datetime) -> Event:
    """The certificate ends in so many days and could not be renewed yet."""
    left = "1 day" if days == 1 else f"{days} days"
    return _event(
        item, f"The certificate for {item.domain_name} ends in {left} and was not renewed: {_cause(item)}", now
    )


def ended(item: ManagedCertificate, now: datetime) -> Event:
    """The certificate has ended without a successor."""
    return _event(item, f"The certificate for {item.domain_name} has expired and was not renewed: {_cause(item)}", now)


def _cause(item: ManagedCertificate) -> str:
    if item.renewal is not None and item.renewal.reason is not None:
        return f"{item.renewal.reason.value}."
    if item.type is Type.PRIVATE:
        return "its certificate authority has not answered."
    if item.validation_method == "EMAIL":
        return "nobody has answered the validation e-mail."
    return "the validation record of a name is missing."


def _code(item: ManagedCertificate) -> str:
    if item.renewal is not None and item.renewal.reason is FailureReason.CAA_ERROR:
        return "CAA_CHECK_FAILURE"
    return "AWS_ACM_RENEWAL_FAILURE" if item.type is Type.PRIVATE else "AWS_ACM_RENEWAL_STATE_CHANGE"


def _event(item: ManagedCertificate, text: str, now: datetime) -> Event:
    code = _code(item)
    # One event for each life of a certificate: what comes later replaces what came before.
    name = f"{code}_{item.id}_{item.not_after:%Y%m%d}" if item.not_after else f"{code}_{item.id}"
    return Event(
        "aws.health",
        "AWS Health Event",
        item.account,
        item.region,
        (item.arn,),
        {
            "eventArn": f"arn:{partition_of(item.region)}:health:{item.region}::event/ACM/{code}/{name}",
            "service": "ACM",
            "eventTypeCode": code,
            "eventTypeCategory": "scheduledChange",
            "startTime": format_datetime(now, usegmt=True),
            "eventDescription": [{"language": "en_US", "latestDescription": text}],
            "affectedEntities": [{"entityValue": item.arn}],
        },
    )
