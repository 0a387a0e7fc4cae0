"""Orders at a CA upstream: crashes at every line, refusals, waits, and renewal windows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from greatseal.app.upstream import UpstreamRoom, UpstreamWishes
from greatseal.domain.certificates.ports import PublicOrder
from greatseal.domain.upstream import Problem, UpstreamRefused, Wishes
from greatseal.domain.upstream.outcome import ari_identifier
from greatseal.domain.zones import Hosted, ProviderFailed
from greatseal.kernel.errors import InProgress
from greatseal.storage import Storage
from greatseal.testing import FakeClock, Installation
from made_acme import MadeCa

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

DOMAIN = "www.example.com"
_KEY = ec.generate_private_key(ec.SECP256R1())


class Died(BaseException):
    """The process ended here."""


def order(token: str = "11111111/1", *names: str, logged: bool = True) -> PublicOrder:
    wanted = names or (DOMAIN,)
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted[0])]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in wanted]), critical=False)
        .sign(_KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    return PublicOrder(
        names=wanted,
        key_algorithm="EC_prime256v1",
        csr=csr,
        logged=logged,
        token=token,
        account="111122223333",
        region="us-east-1",
        principal_arn="arn:aws:iam::111122223333:root",
        request_id="r",
        key_id="k",
    )


@dataclass
class Bench:
    """A room over a CA."""

    ca: MadeCa
    clock: FakeClock
    installation: Installation
    room: UpstreamRoom

    def until_issued(self, wanted: PublicOrder, times: int = 8) -> bytes:
        for _ in range(times):
            try:
                return self.room.issuer.issue(wanted).certificate
            except InProgress:
                self.clock.advance(timedelta(minutes=2))
        raise AssertionError("it never ends")

    def texts(self) -> list[str]:
        return [each.value for each in self.installation.rooms.zones.own.records() if each.kind == "TXT"]


@pytest.fixture
def make(storage: Storage) -> Callable[..., Bench]:
    def made(*, zones: tuple[str, ...] = ("example.com",), challenge: str = "dns-01", **wishes: object) -> Bench:
        clock = FakeClock()

        def published(domain: str, token: str, expected: str) -> bool:
            rooms = installation.rooms
            assert rooms.upstream is not None
            if challenge == "http-01":
                return rooms.upstream.challenges.file(token) == expected
            name = rooms.upstream.challenges.alias(domain) or f"_acme-challenge.{domain}"
            return expected in [each.value for each in rooms.zones.own.look_up(name, "TXT").records]

        ca = MadeCa(clock, published)
        wanted = UpstreamWishes(ca, Wishes(**wishes), challenge)  # type: ignore[arg-type]
        installation = Installation(storage, clock=clock, upstream=wanted)
        installation.rooms.zones.employ(zones, [])
        assert installation.rooms.upstream is not None
        return Bench(ca, clock, installation, installation.rooms.upstream)

    return made


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


class TestCertificates:
    """What is issued, and that it is issued once."""

    def test_an_order_is_carried_out_and_leaves_nothing_in_the_zone(self, bench: Bench) -> None:
        wanted = order("11111111/1", DOMAIN, "example.com", "*.example.com")
        certificate = bench.until_issued(wanted)
        assert certificate == bench.ca.issued[0].public_bytes(serialization.Encoding.DER)
        assert bench.texts() == []
        again = bench.room.issuer.issue(wanted)
        assert again.certificate == certificate
        assert again.chain == (bench.ca.root.public_bytes(serialization.Encoding.DER),)
        assert len(bench.ca.issued) == 1

    def test_a_name_of_another_zone_is_answered_at_its_alias(self, make: Callable[..., Bench]) -> None:
        bench = make(zones=("v.example.net",))
        assert bench.room.challenges.alias(DOMAIN)
        bench.until_issued(order())

    def test_http_01(self, make: Callable[..., Bench]) -> None:
        bench = make(zones=(), challenge="http-01")
        bench.until_issued(order())
        assert bench.room.challenges.file("token0") is None

    @pytest.mark.parametrize("slow", [False, True])
    def test_a_crash_at_any_call_doubles_nothing(
        self, make: Callable[..., Bench], storage: Storage, slow: bool
    ) -> None:
        bench = make()
        bench.ca.slow = slow
        undisturbed = order("99999999/1")

        def hurry(call: str) -> None:
            if call == "finalize done":
                bench.ca.slow = False

        bench.ca.on_call = hurry
        bench.until_issued(undisturbed)
        calls = len(bench.ca.calls)
        assert calls >= 7
        for at in range(calls + 1):
            issued, left = len(bench.ca.issued), [at]
            bench.ca.slow = slow

            def die(call: str, left: list[int] = left) -> None:
                hurry(call)
                left[0] -= 1
                if left[0] == 0:
                    raise Died

            bench.ca.on_call = die
            wanted = order(f"{at:08}/1")
            while True:
                try:
                    certificate = bench.until_issued(wanted)
                except Died:
                    continue
                break
            assert len(bench.ca.issued) == issued + 1, at
            assert certificate == bench.ca.issued[-1].public_bytes(serialization.Encoding.DER)
            assert bench.texts() == []

    def test_a_request_with_another_signature_goes_on_with_the_first(self, bench: Bench) -> None:
        bench.ca.slow = True
        with pytest.raises(InProgress):
            bench.room.issuer.issue(order())
        bench.ca.slow = False
        bench.clock.advance(timedelta(minutes=2))
        bench.until_issued(order())
        assert len(bench.ca.orders) == 1


class TestRefusals:
    """What the CA says, in the words of ACM."""

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            ("caa", "CAA_ERROR"),
            ("rejectedIdentifier", "DOMAIN_NOT_ALLOWED"),
            ("unsupportedIdentifier", "INVALID_PUBLIC_DOMAIN"),
            ("unauthorized", "DOMAIN_VALIDATION_DENIED"),
            ("badCSR", "OTHER"),
            ("whatever", "OTHER"),
        ],
    )
    def test_a_problem_becomes_a_reason_and_stays(self, bench: Bench, kind: str, reason: str) -> None:
        def refuse(call: str) -> None:
            if call == "new order":
                raise Problem(kind, "no", status=403)

        bench.ca.on_call = refuse
        for _ in range(2):
            with pytest.raises(UpstreamRefused) as refused:
                bench.room.issuer.issue(order())
            assert refused.value.reason == reason
        assert bench.ca.calls.count("new order") == 1

    def test_the_problem_of_one_name_among_several(self, bench: Bench) -> None:
        def refuse(call: str) -> None:
            if call == "new order":
                raise Problem("compound", "two", status=403, inner=[Problem("dns", "x"), Problem("caa", "y")])

        bench.ca.on_call = refuse
        with pytest.raises(UpstreamRefused) as refused:
            bench.room.issuer.issue(order())
        assert refused.value.reason == "CAA_ERROR"

    def test_a_challenge_that_fails(self, bench: Bench) -> None:
        def blind(call: str) -> None:
            if call == "answer":
                for each in bench.installation.rooms.zones.own.records():
                    bench.installation.rooms.zones.own.remove("example.com", each.name, each.kind, each.value)

        bench.ca.on_call = blind
        with pytest.raises(UpstreamRefused) as refused:
            bench.until_issued(order())
        assert refused.value.reason == "DOMAIN_VALIDATION_DENIED"
        assert "that is not there" in refused.value.message

    def test_nowhere_to_write_the_record(self, make: Callable[..., Bench]) -> None:
        with pytest.raises(UpstreamRefused, match="no DNS provider has the zone of _acme-challenge"):
            make(zones=()).room.issuer.issue(order())

    def test_what_is_logged_cannot_be_kept_out_of_logs(self, make: Callable[..., Bench]) -> None:
        bench = make()
        with pytest.raises(UpstreamRefused, match="transparency"):
            bench.room.issuer.issue(order(logged=False))
        assert bench.ca.calls == []

    @pytest.mark.parametrize("what", ["names", "key", "validity", "issuer"])
    def test_a_certificate_that_was_not_ordered_is_not_taken(self, bench: Bench, what: str) -> None:
        other = ec.generate_private_key(ec.SECP256R1())

        def spoil(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
            match what:
                case "names":
                    fresh = x509.CertificateBuilder(
                        builder._issuer_name,
                        builder._subject_name,
                        builder._public_key,
                        builder._serial_number,
                        builder._not_valid_before,
                        builder._not_valid_after,
                        [],
                    )
                    return fresh.add_extension(
                        x509.SubjectAlternativeName([x509.DNSName("evil.example")]), critical=True
                    )
                case "key":
                    builder._public_key = other.public_key()
                case "validity":
                    builder._not_valid_after = builder._not_valid_before + timedelta(seconds=1)
                    bench.clock.advance(timedelta(hours=2))
                case "issuer":
                    builder._issuer_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])
            return builder

        bench.ca.spoil = spoil
        with pytest.raises(UpstreamRefused, match="the CA sent a certificate") as refused:
            bench.until_issued(order())
        assert refused.value.reason == "OTHER"


class TestWaiting:
    """What passes is waited for, no longer than the CA says and no shorter."""

    def test_a_rate_limit_is_kept(self, bench: Bench) -> None:
        def limit(call: str) -> None:
            if call == "new order":
                raise Problem("rateLimited", "slow down", status=429, retry_after=timedelta(minutes=30))

        bench.ca.on_call = limit
        with pytest.raises(InProgress):
            bench.room.issuer.issue(order())
        calls = len(bench.ca.calls)
        bench.ca.on_call = lambda call: None
        bench.clock.advance(timedelta(minutes=29))
        with pytest.raises(InProgress, match="asked again at"):
            bench.room.issuer.issue(order())
        assert len(bench.ca.calls) == calls
        bench.clock.advance(timedelta(minutes=2))
        bench.until_issued(order())

    @pytest.mark.parametrize("kind", ["", "serverInternal", "externalAccountRequired", "invalidProfile"])
    def test_a_ca_that_is_down_or_an_operator_who_is_late(self, bench: Bench, kind: str) -> None:
        def fail(call: str) -> None:
            if call in ("new account", "new order"):
                raise Problem(kind, "not now")

        bench.ca.on_call = fail
        for _ in range(3):
            with pytest.raises(InProgress):
                bench.room.issuer.issue(order())
        bench.ca.on_call = lambda call: None
        bench.until_issued(order())
        assert len(bench.ca.issued) == 1

    def test_a_ca_that_has_forgotten_us(self, bench: Bench) -> None:
        bench.until_issued(order("11111111/1"))
        bench.ca.accounts.clear()
        bench.until_issued(order("22222222/1"))
        assert len(bench.ca.accounts) == 1

    def test_a_provider_that_fails_and_name_servers_that_are_slow(self, bench: Bench) -> None:
        own = bench.installation.rooms.zones.own
        fails = [True]

        class Provider:
            name = "slow"

            def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
                if fails[0]:
                    raise ProviderFailed("down")
                own.upsert(zone, name, kind, value, ttl)

            def remove(self, zone: str, name: str, kind: str, value: str) -> None:
                raise ProviderFailed("down again")

        bench.installation.rooms.zones.hosted.employ([Hosted(Provider(), ("example.com",), settles_after=600)])
        with pytest.raises(InProgress, match="cannot be written now: down"):
            bench.room.issuer.issue(order())
        fails[0] = False
        for _ in range(2):
            with pytest.raises(InProgress):
                bench.room.issuer.issue(order())
        assert "answer" not in bench.ca.calls
        bench.clock.advance(timedelta(minutes=10))
        bench.until_issued(order())
        assert len(bench.texts()) == 1


class TestRenewalWindows:
    """RFC 9773."""

    def test_a_moment_in_the_window_always_the_same_and_asked_for_seldom(self, bench: Bench) -> None:
        now = bench.clock.now()
        start, end = now + timedelta(days=50), now + timedelta(days=52)
        bench.ca.window = (start, end, timedelta(hours=3))
        certificate = bench.until_issued(order())
        asked = len(bench.ca.calls)
        moments = {bench.room.issuer.renews_at(certificate) for _ in range(5)}
        (moment,) = moments
        assert moment is not None
        assert start <= moment < end
        assert len(bench.ca.calls) == asked + 1
        bench.ca.window = (now, now + timedelta(hours=1), None)
        assert bench.room.issuer.renews_at(certificate) == moment
        bench.clock.advance(timedelta(hours=3))
        sooner = bench.room.issuer.renews_at(certificate)
        assert sooner is not None
        assert sooner < now + timedelta(hours=1)

    def test_a_ca_without_windows_or_without_an_answer(self, bench: Bench) -> None:
        certificate = bench.until_issued(order())
        assert bench.room.issuer.renews_at(certificate) is None

        def down(call: str) -> None:
            if call.startswith("window"):
                raise Problem("", "down")

        bench.ca.on_call = down
        bench.ca.window = (bench.clock.now(), bench.clock.now() + timedelta(days=1), None)
        bench.clock.advance(timedelta(hours=7))
        assert bench.room.issuer.renews_at(certificate) is None

    def test_a_renewal_names_what_it_replaces(self, bench: Bench) -> None:
        bench.ca.window = (bench.clock.now(), bench.clock.now() + timedelta(days=1), None)
        first = bench.until_issued(order("11111111/1"))
        bench.until_issued(order("11111111/2"))
        assert bench.ca.replaced == [None, ari_identifier(first)]

    def test_a_replacement_that_the_ca_does_not_take_is_an_order_without(self, bench: Bench) -> None:
        bench.ca.window = (bench.clock.now(), bench.clock.now() + timedelta(days=1), None)
        bench.until_issued(order("11111111/1"))
        refusals = [Problem("alreadyReplaced", "it was", status=409)]

        def refuse(call: str) -> None:
            if call == "new order" and refusals:
                raise refusals.pop()

        bench.ca.on_call = refuse
        bench.until_issued(order("11111111/2"))
        assert bench.ca.replaced == [None, None]

    def test_revocation(self, bench: Bench) -> None:
        certificate = bench.until_issued(order())
        bench.room.issuer.revoke(certificate, 4)
        assert [reason for _, reason in bench.ca.revoked] == [4]
