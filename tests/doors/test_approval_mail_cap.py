"""How many approval mails a domain gets in a day, whoever asks (docs/validation.md)."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from doors.publics import Publics
from greatseal.storage import Storage
from greatseal.testing import FakeEntropy


def refused(call, *arguments, **more):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **more)
    return raised.value.response["Error"]["Code"]


def test_a_domain_gets_so_many_mails_a_day(storage: Storage) -> None:
    acm = Publics(storage, mails_per_domain=10)
    first = acm.ask("example.com", method="EMAIL")
    acm.ask("www.example.com", method="EMAIL", IdempotencyToken="www")
    before = len(acm.arns())
    assert refused(acm.ask, "*.example.com", method="EMAIL") == "LimitExceededException"
    assert len(acm.arns()) == before
    acm.work()
    assert len(acm.mail.mails) == 10
    acm.advance(minutes=2)
    again = {"CertificateArn": first, "Domain": "example.com", "ValidationDomain": "example.com"}
    assert refused(acm.acm.resend_validation_email, **again) == "ThrottlingException"
    # Neither other domains nor other ways to show control are concerned.
    acm.ask("example.org", method="EMAIL")
    acm.ask("example.com", method="DNS", IdempotencyToken="dns")
    acm.clock.advance(timedelta(days=1))
    acm.acm.resend_validation_email(**again)
    acm.work()
    assert len(acm.mail.mails) == 20


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_renewals_are_not_counted_and_none_is_without_limit(storage: Storage) -> None:
    acm = Publics(storage, mails_per_domain=5)
    arn = acm.ask("example.com", method="EMAIL", Options={"Export": "ENABLED"})
    acm.work()
    acm.answer(acm.mail.codes("admin@example.com")[0])
    acm.work()
    acm.export(arn)
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    assert len(acm.mail.mails) == 10
    free = Publics(storage, mails_per_domain=0, authority=acm.issuer.authority, entropy=FakeEntropy("free"))
    for number in range(3):
        free.ask("example.com", method="EMAIL", IdempotencyToken=f"t{number}")
