"""Judging a certificate with what can be fetched about it; the world outside is a dictionary."""

from greatseal.domain.trust import NotFetched, Question, verify
from greatseal.x509 import der, pem
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_information_access,
    crl_distribution_points,
)
from greatseal.x509.general_names import GeneralName
from greatseal.x509.ocsp import Revoked
from greatseal.x509.path import Code, Invalid, Rules, Valid
from greatseal.x509.revocation import Material, Mode, State
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE, Order
from made_revocation import HOUR, answer_der, crl, issuing_point

CRL, DELTA, OCSP, ISSUER = (f"http://pki.example/{name}" for name in ("a.crl", "d.crl", "ocsp", "a.cer"))


class World:
    """Implements Fetcher: what is at which URL, and what was asked for."""

    def __init__(self, **at: bytes) -> None:
        self._at = {f"http://pki.example/{name.replace('_', '.')}": content for name, content in at.items()}
        self.asked: list[str] = []

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self._at:
            raise NotFetched("it answered 404")
        return self._at[url]

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        assert body
        assert content_type == "application/ocsp-request"
        return self.get(url)


def access(*, ocsp: str | None = None, issuer: str | None = None) -> Extension:
    return authority_information_access(ocsp, issuer)


def ask(leaf: Order, world: World | None, *, bag=(SUBORDINATE,), mode=Mode.HARD_FAIL, nonce=None):
    question = Question(
        leaf.sign(),
        tuple(order.sign() for order in bag),
        (ROOT.sign(),),
        Rules(at=NOW),
        mode,
        Material([crl(ROOT)], (), nonce),
    )
    return verify(question, world)


def test_nothing_is_fetched_unless_there_is_a_fetcher():
    leaf = LEAF.but(add=(crl_distribution_points(CRL), access(ocsp=OCSP, issuer=ISSUER)))
    assert isinstance(ask(leaf, None, mode=Mode.OFF).verdict, Valid)
    report = ask(leaf, None)
    assert isinstance(report.verdict, Invalid)
    assert report.verdict.problem.code is Code.REVOCATION_UNKNOWN
    assert report.fetched == ()


def test_a_list_is_fetched_and_believed():
    leaf = LEAF.but(add=(crl_distribution_points(CRL),))
    report = ask(leaf, World(a_crl=crl().der))
    assert isinstance(report.verdict, Valid)
    assert [each.state for each in report.standings] == [State.GOOD, State.GOOD]
    assert [(each.url, each.failure) for each in report.fetched] == [(CRL, None)]
    revoked = ask(leaf, World(a_crl=crl(SUBORDINATE, (leaf.serial, 1)).der))
    assert isinstance(revoked.verdict, Invalid)
    assert revoked.verdict.problem.code is Code.REVOKED


def test_a_delta_is_looked_for_where_the_list_says():
    freshest = Extension("2.5.29.46", False, crl_distribution_points(DELTA).value)
    leaf = LEAF.but(add=(crl_distribution_points(CRL),))
    world = World(a_crl=crl(extensions=[freshest]).der, d_crl=crl(SUBORDINATE, (leaf.serial, 1), base=1, number=2).der)
    report = ask(leaf, world)
    assert isinstance(report.verdict, Invalid)
    assert report.verdict.problem.code is Code.REVOKED
    assert world.asked == [CRL, DELTA]


def test_an_answer_comes_before_a_list():
    leaf = LEAF.but(add=(crl_distribution_points(CRL), access(ocsp=OCSP)))
    certificate, issuer = leaf.sign(), SUBORDINATE.sign()
    world = World(ocsp=answer_der(certificate, issuer), a_crl=crl().der)
    assert isinstance(ask(leaf, world).verdict, Valid)
    assert world.asked == [OCSP]
    revoked = ask(leaf, World(ocsp=answer_der(certificate, issuer, Revoked(NOW - HOUR, 1))))
    assert isinstance(revoked.verdict, Invalid)
    assert revoked.verdict.problem.what.endswith("(keyCompromise), says OCSP")


def test_a_list_helps_where_no_answer_does():
    leaf = LEAF.but(add=(crl_distribution_points(CRL), access(ocsp=OCSP)))
    for useless in (b"", b"\x30\x03\x0a\x01\x06", answer_der(leaf.sign(), SUBORDINATE.sign(), key_of="thief")):
        world = World(ocsp=useless, a_crl=crl().der)
        assert isinstance(ask(leaf, world).verdict, Valid)
        assert world.asked == [OCSP, CRL]
    report = ask(leaf, World())
    assert isinstance(report.verdict, Invalid)
    assert [each.failure for each in report.fetched] == ["it answered 404", "it answered 404"]
    # A soft failure refuses only what is known to be revoked.
    assert isinstance(ask(leaf, World(), mode=Mode.SOFT_FAIL).verdict, Valid)


def test_an_answer_without_the_nonce_does_not_count():
    leaf = LEAF.but(add=(access(ocsp=OCSP),))
    made = answer_der(leaf.sign(), SUBORDINATE.sign(), nonce=b"n" * 32)
    assert isinstance(ask(leaf, World(ocsp=made), nonce=b"n" * 32).verdict, Valid)
    assert isinstance(ask(leaf, World(ocsp=made), nonce=b"m" * 32).verdict, Invalid)


def test_missing_issuers_are_fetched_one_after_the_other():
    middle = SUBORDINATE.but(add=(access(issuer="http://pki.example/root.cer"), crl_distribution_points(CRL)))
    top = Order("top", ROOT, ca=True)
    middle = middle.but(issuer=top)
    leaf = LEAF.but(issuer=middle, add=(access(issuer=ISSUER),))
    world = World(a_cer=pem.write_certificates([middle.sign().der]).encode(), root_cer=top.sign().der)
    report = ask(leaf, world, bag=(), mode=Mode.OFF)
    assert isinstance(report.verdict, Valid)
    assert len(report.verdict.path) == 4
    assert isinstance(ask(leaf, World(a_cer=b"x"), bag=(), mode=Mode.OFF).verdict, Invalid)


def test_a_heap_of_issuers_is_not_looked_through():
    leaf = LEAF.but(add=(access(issuer=ISSUER),))
    bundle = pem.write_certificates([SUBORDINATE.sign().der]).encode() + b"\n"
    assert isinstance(ask(leaf, World(a_cer=bundle), bag=(), mode=Mode.OFF).verdict, Valid)
    report = ask(leaf, World(a_cer=bundle * (2**20 // len(bundle) + 1)), bag=(), mode=Mode.OFF)
    assert isinstance(report.verdict, Invalid)
    assert [each.failure for each in report.fetched] == ["certificates of more than 1048576 octets"]


def test_a_certificate_that_names_itself_as_its_issuer_ends_the_search():
    leaf = LEAF.but(add=(access(issuer=ISSUER),))
    world = World(a_cer=leaf.sign().der)
    assert isinstance(ask(leaf, world, bag=(), mode=Mode.OFF).verdict, Invalid)
    assert world.asked == [ISSUER]


def test_no_more_than_two_places_of_a_certificate_are_tried():

    points = [
        der.sequence(der.explicit(0, der.explicit(0, GeneralName("uri", url).encode())))
        for url in ("ldap://directory/cn=x", *(f"http://pki.example/{number}.crl" for number in range(50)))
    ]
    leaf = LEAF.but(add=(Extension(OID.CRL_DISTRIBUTION_POINTS, False, der.sequence(*points)),))
    world = World()
    ask(leaf, world)
    assert world.asked == ["http://pki.example/0.crl", "http://pki.example/1.crl"]


def test_a_partition_that_is_not_that_of_the_certificate():
    leaf = LEAF.but(add=(crl_distribution_points(CRL),))

    other = der.explicit(0, der.explicit(0, GeneralName("uri", DELTA).encode()))
    report = ask(leaf, World(a_crl=crl(extensions=[issuing_point(other)]).der))
    assert isinstance(report.verdict, Invalid)
    assert "another distribution point" in report.verdict.problem.what
