"""Public certificates in tests: a domain table instead of the internet, and an issuer over a private CA."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from doors.acm_material import Acm
from greatseal.app.bus import Carriers
from greatseal.app.publics import PublicWishes
from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.authorities.order import Order
from greatseal.domain.certificates.ports import PublicOrder
from greatseal.domain.delivery import Parcel
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel.caller import Caller
from greatseal.storage import Storage
from greatseal.testing import FakeClock, FakeEntropy, Installation
from greatseal.testing.control import FakeControl
from greatseal.web.approvals import ApprovalsDoor, pages
from greatseal.x509.templates import find_template, template_arn
from greatseal.x509.validity import Validity, ValidityType

TEMPLATE = template_arn("aws", "EndEntityServerAuthCertificate")


class PrivateIssuer:
    """Issues public orders with a private CA of the test. Implements `PublicIssuer`."""

    def __init__(self) -> None:
        self.installation: Installation | None = None
        self.authority = ""
        self.orders: list[PublicOrder] = []
        self.refusals: list[Exception] = []
        """What the next orders are answered with, first the first."""

    def issue(self, order: PublicOrder) -> IssuedCertificate:
        self.orders.append(order)
        if self.refusals:
            raise self.refusals.pop(0)
        assert self.installation is not None
        rooms, now = self.installation.rooms, self.installation.clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        caller = Caller(
            order.account, order.region, order.principal_arn, "", order.request_id, "acm-pca:IssueCertificate", now
        )
        arn = rooms.issuance.issue(
            caller,
            self.authority,
            Order(
                csr=order.csr,
                signing_algorithm=rooms.registry.describe(self.authority).signing_algorithm,
                validity=_at(midnight + timedelta(days=198, seconds=-1)),
                not_before=_at(midnight),
                template=find_template(TEMPLATE),
                template_arn=TEMPLATE,
                idempotency_token=order.token,
                idempotency_window=timedelta(days=30),
            ),
        )
        return rooms.issuance.certificate(self.authority, arn)

    def revoke(self, certificate: bytes, reason: int) -> None:
        raise AssertionError("what a CA of ours has issued is revoked by its journal")

    def renews_at(self, certificate: bytes) -> datetime | None:
        return None


class Mailbox:
    """A mail server that takes everything, or refuses. Implements `Carrier`."""

    def __init__(self) -> None:
        self.mails: list[Parcel] = []

    def carry(self, parcel: Parcel) -> None:
        self.mails.append(parcel)

    def links(self, mailbox: str) -> list[str]:
        """The links that came to a mailbox, the oldest first."""
        bodies = [each.body for each in self.mails if each.address["to"] == mailbox]
        return [next(line for line in body.splitlines() if "/approvals?code=" in line) for body in bodies]

    def codes(self, mailbox: str) -> list[str]:
        return [link.partition("code=")[2] for link in self.links(mailbox)]


class Publics(Acm):
    """An installation that issues public certificates."""

    def __init__(
        self,
        storage: Storage,
        *,
        clock: FakeClock | None = None,
        entropy: FakeEntropy | None = None,
        authority: str | None = None,
        can_mail: bool = True,
        **wishes: Any,
    ) -> None:
        """`authority` is a private CA that exists already."""
        self.control = FakeControl()
        self.issuer = PrivateIssuer()
        self.mail = Mailbox()
        wishes.setdefault("issuer_name", lambda: "Example")
        more: dict[str, Any] = {
            "entropy": entropy,
            "public": PublicWishes(control=self.control, issuer=self.issuer, can_mail=can_mail, **wishes),
            "carriers": Carriers({"email": self.mail}),
        }
        super().__init__(storage, clock=clock, **more)
        self.issuer.installation = self.installation
        self.issuer.authority = authority or self.root("RSA_2048", valid={"Type": "DAYS", "Value": 7000})

    def ask(self, name: str = "www.example.com", *others: str, method: str | None = "DNS", **more: Any) -> str:
        """A request for a public certificate; its ARN."""
        if others:
            more["SubjectAlternativeNames"] = list(others)
        if method is not None:
            more["ValidationMethod"] = method
        arn: str = self.acm.request_certificate(DomainName=name, **more)["CertificateArn"]
        return arn

    def work(self) -> int:
        """Also what the clock asks for every minute."""
        self.installation.rooms.publics.validating.validation.end_overdue()
        return super().work()

    def publish(self, arn: str) -> None:
        """Creates every record, or page, that a certificate asks for."""
        for each in self.options(arn):
            if "ResourceRecord" in each:
                self.control.cnames[each["ResourceRecord"]["Name"]] = each["ResourceRecord"]["Value"]
            if "HttpRedirect" in each:
                redirect = each["HttpRedirect"]
                self.control.pages[redirect["RedirectFrom"]] = self.page(redirect["RedirectTo"])

    def options(self, arn: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.detail(arn)["DomainValidationOptions"]
        return found

    def states(self, arn: str) -> list[str]:
        """The validation states of the names."""
        return [each["ValidationStatus"] for each in self.options(arn)]

    def had(self, name: str = "www.example.com", *others: str, **more: Any) -> str:
        """A public certificate that was validated by DNS and issued."""
        arn = self.ask(name, *others, **more)
        self.publish(arn)
        self.work()
        assert self.detail(arn)["Status"] == "ISSUED", self.detail(arn)
        return arn

    def page(self, url: str) -> str:
        """What our plain listener answers below `/validation`."""
        path = "/validation" + url.partition("/validation")[2]
        answer = pages(self.installation.rooms.publics.validating.validation.tokens)(_request("GET", path))
        assert answer.status == 200
        return answer.body.decode()

    def web(
        self, method: str, path: str, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> HttpResponse:
        """A request to the approval page."""
        room = self.installation.rooms.publics.validating
        door = ApprovalsDoor(approvals=room.approvals, approver=room.approver)
        return door.handle(_request(method, path, body, headers))

    def answer(self, code: str, decision: str = "approve") -> int:
        """Presses a button; the status."""
        body = f"code={code}&decision={decision}".encode()
        return self.web("POST", "/approvals", body).status


def _request(method: str, path: str, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()) -> HttpRequest:
    raw, _, query = path.partition("?")
    return HttpRequest(
        method=method,
        raw_path=raw.encode(),
        raw_query=query.encode(),
        headers=tuple(headers),
        body=body,
        request_id="00000000-0000-4000-8000-000000000000",
        client_ip="203.0.113.9",
    )


def _at(at: datetime) -> Validity:
    return Validity(int(at.timestamp()), ValidityType.ABSOLUTE)
