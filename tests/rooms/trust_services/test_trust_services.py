"""The trust services issue: content, chains, chance, logs; and a hierarchy exists once (docs/trust-services.md)."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from sqlalchemy import func, select

from doors.pki import Pki
from greatseal.domain.authorities.model import Status
from greatseal.domain.authorities.revocation_settings import RevocationChange
from greatseal.domain.authorities.store.authorities import authority
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.revocation.model import RevocationReason
from greatseal.domain.revocation.ocsp import store as standings
from greatseal.domain.trust_services import Chain, Names, Plan
from greatseal.domain.trust_services.store import all_roles, bind, bound
from greatseal.kernel.errors import InProgress, InvalidArgument, RequestFailed
from greatseal.storage.errors import StorageError
from greatseal.testing import FakeClock, FakeEntropy
from greatseal.testing.faults import FaultyStorage
from made_trust import Logs, Ordered

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
PLAN = Plan(issuers=2)


def services(storage, plan=PLAN, logs=None, **more):
    pki = Pki(storage, trust=plan, **more)
    pki.trusting = pki.installation.rooms.trusting
    pki.trusting.services._submission = logs
    return pki


@pytest.fixture
def pki(storage):
    return services(storage)


def issue(pki, **changes):
    return pki.trusting.services.issue(Ordered(**changes))


def verified(pki, issued, root, host="www.example.com"):
    """The chain that an independent implementation finds to a root; raises when there is none."""
    builder = PolicyBuilder().store(Store([x509.load_der_x509_certificate(root)])).time(pki.clock.now())
    above = [x509.load_der_x509_certificate(each) for each in issued.chain]
    leaf = x509.load_der_x509_certificate(issued.certificate)
    return builder.build_server_verifier(DNSName(host)).verify(leaf, above)


def roots(pki):
    return {root.tier.number: root.der for root in pki.trusting.hierarchy.roots()}


@ONE
@pytest.mark.parametrize("key", ["RSA_2048", "EC_prime256v1"])
def test_a_certificate_has_the_public_profile(pki, key):
    issued = issue(pki, key_algorithm=key, names=("www.example.com", "*.example.com"))
    leaf = x509.load_der_x509_certificate(issued.certificate)
    assert leaf.subject.rfc4514_string() == "CN=www.example.com"
    today = pki.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert leaf.not_valid_before_utc == today
    assert leaf.not_valid_after_utc == today + timedelta(days=198, seconds=-1)
    assert leaf.serial_number.bit_length() > 100
    found = leaf.extensions
    usage = found.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_encipherment is (key == "RSA_2048")
    purposes = found.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    [policy] = found.get_extension_for_class(x509.CertificatePolicies).value
    assert policy.policy_identifier.dotted_string == "2.23.140.1.2.1"
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(DNSName) == ["www.example.com", "*.example.com"]
    access = found.get_extension_for_class(x509.AuthorityInformationAccess).value
    methods = {each.access_method._name for each in access}
    assert methods == {"OCSP", "caIssuers"}
    assert found.get_extension_for_class(x509.CRLDistributionPoints)
    assert "RSA 2048" in leaf.issuer.rfc4514_string() or "ECDSA 256" in leaf.issuer.rfc4514_string()
    assert verified(pki, issued, roots(pki)[1 if key == "RSA_2048" else 3])


@ONE
def test_clients_of_the_old_root_alone_are_served_too(pki):
    issued = issue(pki)
    assert len(issued.chain) == 2
    assert len(verified(pki, issued, roots(pki)[0])) == 4
    assert len(verified(pki, issued, roots(pki)[3])) == 3


@ONE
def test_the_served_chain_changes_without_a_new_certificate(storage):
    leaf = issue(services(storage)).certificate
    served = {chain: services(storage, Plan(chain=chain)).trusting.services.chain(leaf) for chain in Chain}
    assert [len(served[chain]) for chain in (Chain.SHORT, Chain.CROSS_SIGNED, Chain.LONG)] == [1, 2, 3]
    assert served[Chain.LONG][:2] == served[Chain.CROSS_SIGNED]
    subjects = [x509.load_der_x509_certificate(each).subject.rfc4514_string() for each in served[Chain.LONG]]
    assert "Root CA 3" in subjects[1]
    assert "Services Root CA" in subjects[2]
    cross = x509.load_der_x509_certificate(served[Chain.LONG][1])
    assert cross.issuer != cross.subject


@ONE
def test_a_certificate_of_somebody_else_has_no_chain_of_ours(pki):
    root = pki.root()
    issue(pki)
    other = pki.certificate(root).public_bytes(Encoding.DER)
    assert pki.trusting.services.chain(other) is None


@ONE
def test_chance_picks_the_issuer_and_a_repetition_finds_it(pki):
    first = issue(pki, token="order/1")
    assert issue(pki, token="order/1") == first
    issuers = {x509.load_der_x509_certificate(issue(pki, token=f"order/{n}").certificate).issuer for n in range(2, 14)}
    assert len(issuers) == 2


@ONE
def test_an_issuing_ca_that_is_disabled_gets_a_successor_and_no_orders(pki):
    first = issue(pki)
    arn = first.arn.partition("/certificate/")[0]
    caller = pki.trusting.hierarchy.caller("Test")
    pki.installation.rooms.lifecycle.update(caller, arn, status=Status.DISABLED, revocation=RevocationChange())
    for n in range(2, 8):
        assert not issue(pki, token=f"order/{n}").arn.startswith(arn)
    assert issue(pki) == first


@ONE
def test_an_order_leaves_a_ca_that_was_disabled_before_anything_was_signed(pki):
    issue(pki, token="order/0")
    [picked, *_] = [role.arn for role in pki.storage.read(lambda tx: all_roles(tx, 3)) if role.number is not None]
    pki.storage.transact(lambda tx: bind(tx, "order/1", picked, pki.clock.now()))
    caller = pki.trusting.hierarchy.caller("Test")
    pki.installation.rooms.lifecycle.update(caller, picked, status=Status.DISABLED, revocation=RevocationChange())
    issued = issue(pki, token="order/1")
    other = issued.arn.partition("/certificate/")[0]
    assert other != picked
    assert pki.storage.read(lambda tx: bound(tx, "order/1")) == other
    pki.installation.rooms.lifecycle.update(caller, picked, status=Status.ACTIVE, revocation=RevocationChange())
    assert issue(pki, token="order/1") == issued


@ONE
def test_logged_certificates_carry_what_the_logs_gave(storage):
    logs = Logs()
    pki = services(storage, logs=logs)
    issued = issue(pki, logged=True)
    leaf = x509.load_der_x509_certificate(issued.certificate)
    scts = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    assert [sct.log_id[0] for sct in scts] == [1, 2]
    [(precertificate, chain)] = logs.seen
    assert chain[-1] == roots(pki)[3]
    poisoned = x509.load_der_x509_certificate(precertificate)
    assert poisoned.serial_number == leaf.serial_number
    assert poisoned.extensions.get_extension_for_class(x509.PrecertPoison).critical
    assert issue(pki, logged=True) == issued
    assert len(logs.seen) == 1


@ONE
def test_logs_that_are_away_delay_and_never_cost_a_second_serial(storage):
    logs = Logs(away=True)
    pki = services(storage, logs=logs)
    for _ in range(3):
        with pytest.raises(InProgress):
            issue(pki, logged=True)
    authority_arn, serial = waiting(pki)
    standing = pki.storage.read(
        lambda tx: standings.standing(tx, authority_arn.rpartition("/")[2], [serial], pki.clock.now())
    )
    assert standing.issued == {serial: None}, "OCSP answers good for a precertificate (BR 4.9.10)"
    logs.away = False
    assert issue(pki, logged=True).serial == serial


def waiting(pki):
    row = pki.storage.read(
        lambda tx: tx.one(select(issued_certificate).where(issued_certificate.c.state == "PRECERTIFICATE"))
    )
    return row.arn.partition("/certificate/")[0], row.serial


@ONE
def test_a_precertificate_that_was_revoked_gets_no_certificate(storage):
    logs = Logs(away=True)
    pki = services(storage, logs=logs)
    with pytest.raises(InProgress):
        issue(pki, logged=True)
    arn, serial = waiting(pki)
    caller = pki.trusting.hierarchy.caller("Test")
    pki.installation.rooms.revocations.revoke(caller, arn, serial=serial, reason=RevocationReason.KEY_COMPROMISE)
    logs.away = False
    with pytest.raises(RequestFailed, match="revoked"):
        issue(pki, logged=True)


@ONE
def test_a_precertificate_outlives_the_wish_for_logs(storage):
    """An order that was begun with logs ends with them, whatever a later run is told."""
    logs = Logs(away=True)
    pki = services(storage, logs=logs)
    with pytest.raises(InProgress):
        issue(pki, logged=True)
    logs.away = False
    issued = issue(pki, logged=False)
    assert x509.load_der_x509_certificate(issued.certificate).extensions.get_extension_for_class(
        x509.PrecertificateSignedCertificateTimestamps
    )


@ONE
def test_nobody_sees_the_cas_in_a_list(pki):
    issue(pki)
    assert pki.pca.list_certificate_authorities()["CertificateAuthorities"] == []
    arn = pki.trusting.hierarchy.roles()[0][0].arn
    with pytest.raises(Exception, match="AccessDenied"):
        pki.pca.describe_certificate_authority(CertificateAuthorityArn=arn)


@ONE
@pytest.mark.parametrize(("year", "most"), [(2026, 198), (2027, 100), (2029, 47)])
def test_no_certificate_lives_longer_than_the_rules_of_its_day(storage, year, most):
    clock = FakeClock(datetime(year, 4, 1, 12, 30, tzinfo=UTC))
    pki = services(storage, clock=clock)
    leaf = x509.load_der_x509_certificate(issue(pki).certificate)
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1)
    assert life == timedelta(days=most)


@ONE
@pytest.mark.parametrize("names", [("app_1.example.com",), ("localhost",), ("*.*.example.com",), ("10.0.0.1",)])
def test_names_of_the_wrong_form_are_not_signed(pki, names):
    with pytest.raises(InvalidArgument, match="BR section"):
        issue(pki, names=names)


def test_no_ca_is_called_what_it_is_not():
    for lie in ("Amazon", "My Publicly Trusted CA", "public trusted", "Starfield"):
        with pytest.raises(ValueError, match="cannot be called"):
            Names(lie)
        with pytest.raises(ValueError, match="cannot be called"):
            Plan(brand=lie)
    with pytest.raises(ValueError, match="200 days"):
        Plan(days=201)


def test_two_nodes_at_once_make_one_hierarchy(storage):
    nodes = [services(storage, entropy=FakeEntropy(name)) for name in ("one", "two")]
    failures: list[BaseException] = []

    def begin(node, number):
        for _ in range(50):
            try:
                issue(node, token=f"order/{number}")
                return
            except InProgress:
                continue
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=begin, args=each) for each in zip(nodes, (1, 2), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    once(nodes[0])
    assert issue(nodes[0], token="order/2") == issue(nodes[1], token="order/2")


def once(pki):
    """There is a CA for each role, and no other; each has one certificate, roots their cross-certificate too."""
    roles = pki.storage.read(all_roles)
    assert [role.role for role in roles] == ["root/0", "root/3", "issuer/3/1", "issuer/3/2"]
    assert pki.storage.read(lambda tx: tx.scalar(select(func.count()).select_from(authority))) == len(roles)
    assert all(each.certificate is not None for _, each in pki.trusting.hierarchy.roles())
    [_, root] = pki.trusting.hierarchy.roots()
    assert root.cross is not None


@ONE
@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_every_call_of_the_database_may_fail(storage_url, applied):
    """One failure at a time, then the order is repeated: whatever was left is gone on with."""
    storage = FaultyStorage(storage_url)
    pki = services(storage, logs=Logs())
    reached = 0
    for at in range(1, 400):
        storage.fail(at=1 if at == 1 else 2 + at % 7, applied=applied)
        with suppress(StorageError, InProgress):
            issue(pki, logged=True)
        if not storage.failed:
            break
        reached = at
        storage.heal()
        pki.installation.rooms.issuance.finish_open(older_than=timedelta(0))
        pki.installation.rooms.keys._signer.cache_clear()
    storage.heal()
    issued = issue(pki, logged=True)
    assert reached >= 5
    once(pki)
    assert issue(pki, logged=True) == issued
    storage.close()
