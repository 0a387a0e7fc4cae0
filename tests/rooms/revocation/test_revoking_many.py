"""Mass revocation (docs/revocation.md): what it covers, that a rehearsal tells the truth, and what a run leaves."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from doors.lists import ENABLED, bucket, published, serials
from doors.pki import MLDSA65, P384, Pki, csr, days, refused, serial_of
from faults.recovery import caller
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.revocation import RevocationReason
from greatseal.domain.revocation.mass import MASS_JOB, Kind, Listing, Outcome, Selection, State
from greatseal.domain.revocation.mass.key_file import key_in
from greatseal.domain.revocation.mass.store import mass_revocation_item
from greatseal.domain.revocation.points import PUBLISH_JOB
from greatseal.domain.revocation.store import revocation
from greatseal.kernel.errors import AlreadyProcessed, Conflict, InvalidArgument, InvalidState, NotFound
from greatseal.storage.schema import job, outbox
from greatseal.testing import FakeEntropy, Installation

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
LEAKED = ec.derive_private_key(2**201 + 3, ec.SECP256R1())


@pytest.fixture
def pki(storage):
    made = Pki(storage)
    made.mass = made.installation.rooms.mass_revocations
    made.mass._batch = 3
    return made


def under(arn, reason="SUPERSEDED", **more):
    return Selection(Kind.AUTHORITY, arn, RevocationReason[reason], **more)


def of_key(key, reason="KEY_COMPROMISE", **more):
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Selection(Kind.KEY, fingerprint(spki), RevocationReason[reason], **more)


def listed(pki, lines, arn=None):
    listing = Listing(storage=pki.storage, registry=pki.installation.rooms.registry)
    return listing.read(lines, arn)


LIST = Selection(Kind.LIST, "affected.txt", RevocationReason.SUPERSEDED)


def run(pki, selection, items=None):
    """Rehearses, runs, and has both say the same; what became of each certificate."""
    items = None if items is None else list(items)
    told = list(pki.mass.rehearse(selection, items or ()))
    before = revoked(pki)
    mass_id = pki.mass.ask(caller(), selection) if items is None else pki.mass.ask_listed(caller(), selection, items)
    pki.installation.work()
    found = pki.mass.find(mass_id)
    assert found.state is State.DONE
    assert found.finished_at == pki.now
    assert dict(found.outcomes) == Counter(each.outcome for each in told)
    assert found.done == found.total == len(told)
    assert revoked(pki).keys() - before.keys() == {e.arn for e in told if e.outcome is Outcome.REVOKED}
    assert count(pki, mass_revocation_item) == 0
    return {each.arn: each.outcome for each in told}


def revoked(pki):
    """The reason of each revoked certificate, by its ARN."""
    query = select(issued_certificate.c.arn, revocation.c.reason).join(
        revocation,
        (revocation.c.authority_id == issued_certificate.c.authority_id)
        & (revocation.c.serial == issued_certificate.c.serial),
    )
    return {row.arn: row.reason for row in pki.storage.read(lambda tx: tx.all(query))}


def count(pki, table):
    return pki.storage.read(lambda tx: tx.scalar(select(func.count()).select_from(table)))


def jobs(pki, kind):
    return pki.storage.read(lambda tx: tx.all(select(job).where(job.c.kind == kind)))


def told_of(pki):
    """How many events of a revocation name each certificate."""
    payloads = [row.payload for row in pki.storage.read(lambda tx: tx.all(select(outbox.c.payload)))]
    kind = "ACM Private CA Certificate Revocation"
    return Counter(each["resources"][1] for each in payloads if each["detail-type"] == kind)


def test_everything_that_a_ca_issued(pki):
    bucket(pki)
    root = pki.root(RevocationConfiguration=ENABLED)
    issued = [pki.issue(root, csr(f"host-{n}.example.com")) for n in range(7)]
    low = pki.subordinate(root)
    below = pki.issue(low)
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=root, CertificateSerial=serial_of(issued[0]), RevocationReason="KEY_COMPROMISE"
    )
    pki.installation.work()
    outcomes = run(pki, under(root))
    assert Counter(outcomes.values()) == {Outcome.REVOKED: 7, Outcome.ALREADY_REVOKED: 1, Outcome.SELF_SIGNED: 1}
    assert outcomes[issued[0]] is Outcome.ALREADY_REVOKED
    assert outcomes[f"{root}/certificate/{pki.describe(low)['Serial'].replace(':', '')}"] is Outcome.REVOKED
    assert below not in outcomes
    found = revoked(pki)
    assert Counter(found.values()) == {"SUPERSEDED": 7, "KEY_COMPROMISE": 1}
    assert set(told_of(pki).values()) == {1}
    assert told_of(pki).keys() == found.keys()
    # Three batches, and one list.
    assert len(jobs(pki, PUBLISH_JOB)) == 1
    pki.clock.advance(timedelta(seconds=10))
    pki.installation.work()
    assert serials(published(pki, root)) == {int(serial_of(arn), 16) for arn in found}
    assert jobs(pki, MASS_JOB) == []


@ONE
def test_a_tree_with_everything_below_it(pki):
    root, other = pki.root(), pki.root()
    low = pki.subordinate(root, using="SubordinateCACertificate_PathLen1")
    lowest = pki.subordinate(low)
    foreign = pki.subordinate(other)
    disabled = pki.subordinate(root)
    leaves = [pki.issue(each) for each in (root, low, lowest, disabled)]
    kept = pki.issue(foreign)
    pki.set_status(disabled, "DISABLED")
    outcomes = run(pki, under(root, recursive=True))
    assert outcomes.keys() >= set(leaves)
    assert kept not in outcomes
    # Four leaves, and the certificates of three subordinates.
    assert Counter(outcomes.values()) == {Outcome.REVOKED: 7, Outcome.SELF_SIGNED: 1}
    pki.delete(disabled)
    assert Counter(run(pki, under(root, recursive=True)).values()) == {
        Outcome.ALREADY_REVOKED: 7,
        Outcome.SELF_SIGNED: 1,
    }


@ONE
def test_a_subordinate_that_is_deleted_keeps_its_certificates(pki):
    root = pki.root()
    low = pki.subordinate(root)
    leaf = pki.issue(low)
    pki.set_status(low, "DISABLED")
    pki.delete(low)
    assert run(pki, under(root, recursive=True))[leaf] is Outcome.AUTHORITY_STATE
    with pytest.raises(InvalidState):
        pki.mass.ask(caller(), under(low))
    with pytest.raises(NotFound):
        pki.mass.ask(caller(), under(f"{root}-gone"))


@ONE
def test_the_filters(pki):
    root = pki.root()
    early = pki.issue(root)
    pki.clock.advance(timedelta(hours=1))
    noon = pki.now
    client = pki.issue(root, using="EndEntityClientAuthCertificate")
    server = pki.issue(root)
    pki.clock.advance(timedelta(hours=1))
    evening = pki.now
    late = pki.issue(root)

    def covered(**more):
        return {each.arn for each in pki.mass.rehearse(under(root, **more)) if each.outcome is Outcome.REVOKED}

    assert covered(issued_before=noon) == {early}
    assert covered(issued_after=evening) == {late}
    assert covered(issued_after=noon, issued_before=evening) == {client, server}
    assert covered(template="EndEntityClientAuthCertificate") == {client}
    assert covered(template="EndEntityCertificate") == {early, server, late}
    assert covered(template="%") == set()
    assert set(run(pki, under(root, template="EndEntityCertificate", issued_after=noon))) == {server, late}


def test_every_certificate_of_a_key(pki):
    root, other = pki.root(), pki.root()
    mine = [pki.issue(each, csr("leak.example.com", key=LEAKED)) for each in (root, other, root)]
    pki.issue(root)
    outcomes = run(pki, of_key(LEAKED))
    assert outcomes == dict.fromkeys(mine, Outcome.REVOKED)
    assert set(revoked(pki).values()) == {"KEY_COMPROMISE"}
    for each in (root, other):
        with refused("MalformedCSRException", "compromised"):
            pki.issue(each, csr(key=LEAKED))


@ONE
def test_a_key_that_nobody_has_a_certificate_for_is_still_reported(pki):
    root = pki.root()
    assert run(pki, of_key(LEAKED, "SUPERSEDED")) == {}
    pki.issue(root, csr(key=LEAKED))
    assert run(pki, of_key(P384)) == {}
    with refused("MalformedCSRException", "compromised"):
        pki.issue(root, csr(key=P384))


@ONE
def test_the_key_of_a_ca(pki):
    root = pki.root()
    low = pki.subordinate(root)
    leaf = pki.issue(low)
    certificate = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=low)["Certificate"].encode()
    assert key_in(certificate) == key_in(pki.csr_of(low))
    selection = Selection(Kind.KEY, key_in(certificate), RevocationReason.CERTIFICATE_AUTHORITY_COMPROMISE)
    outcomes = run(pki, selection)
    assert list(outcomes.values()) == [Outcome.REVOKED]
    assert leaf not in outcomes


def pem(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@ONE
def test_keys_as_people_report_them(pki):
    root = pki.root()
    wanted = of_key(LEAKED).target
    issued = pki.get(root, pki.issue(root, csr(key=LEAKED)))["Certificate"].encode()
    public = LEAKED.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    old = pem(LEAKED, serialization.PrivateFormat.TraditionalOpenSSL)
    pairs = ":".join(wanted[at : at + 2] for at in range(0, 64, 2)).upper().encode()
    for form in (issued, public, csr(key=LEAKED), pem(LEAKED), old, pairs, issued + public, f"{wanted}\n".encode()):
        assert key_in(form) == wanted
    locked = LEAKED.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    chain = pki.get(root, pki.issue(root))["CertificateChain"].encode()
    for bad in (b"", b"hello", b"\x00\xff", locked, issued + chain, pem(MLDSA65)[:-30], wanted[:-1].encode()):
        with pytest.raises(InvalidArgument):
            key_in(bad)


@ONE
def test_a_list_in_every_form(pki):
    root, other = pki.root(), pki.root()
    issued = [pki.issue(root) for _ in range(6)]
    elsewhere = pki.issue(other)
    certificate = pki.get(root, issued[5])["Certificate"]
    lines = [
        "# found by the auditors\n",
        "\n",
        f"{issued[0]}\n",
        f"  {serial_of(issued[1]).upper()}\n",
        f"{bytes.fromhex(serial_of(issued[2])).hex(':')}\r\n",
        f"{root} {serial_of(issued[3])}\n",
        f"{root},{serial_of(issued[4])}\n",
        *certificate.splitlines(keepends=True),
        f"{issued[0]}\n",
        f"{elsewhere}\n",
        "00:12:34\n",
    ]
    outcomes = run(pki, LIST, listed(pki, lines, root))
    assert {arn for arn, each in outcomes.items() if each is Outcome.REVOKED} == {*issued, elsewhere}
    assert [each for each in outcomes.values() if each is not Outcome.REVOKED] == [Outcome.NOT_ISSUED]


@ONE
def test_filters_of_a_list(pki):
    root = pki.root()
    leaf, client = pki.issue(root), pki.issue(root, using="EndEntityClientAuthCertificate")
    selection = Selection(Kind.LIST, "-", RevocationReason.SUPERSEDED, template="EndEntityCertificate")
    assert run(pki, selection, listed(pki, [leaf, client])) == {leaf: Outcome.REVOKED, client: Outcome.NOT_SELECTED}


@ONE
@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["0a", "xyz"], "line 2: .*hexadecimal"),
        (["arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x/certificate/12"], "line 1: .*Could not find"),
        (["arn:aws:acm:us-east-1:111122223333:certificate/12"], "line 1: .*expected the ARN"),
        (["1 2 3"], "line 1: .*expected"),
        (["-----BEGIN CERTIFICATE-----", "AAAA"], "ends within"),
        (["-----BEGIN CERTIFICATE-----", "AAAA", "-----END CERTIFICATE-----"], "line 3"),
        (["-----BEGIN PUBLIC KEY-----", "AAAA", "-----END PUBLIC KEY-----"], "line 3: .*no certificate"),
    ],
)
def test_lists_that_say_nothing_leave_nothing(pki, lines, text):
    root = pki.root()
    pki.issue(root)
    with pytest.raises(InvalidArgument, match=text):
        pki.mass.ask_listed(caller(), LIST, listed(pki, lines, root))
    with pytest.raises(InvalidArgument, match="name the CA"):
        list(listed(pki, ["0a"]))
    assert pki.mass.newest() == []
    assert count(pki, mass_revocation_item) == 0


@ONE
def test_a_foreign_certificate_is_not_ours_to_revoke(pki):
    foreign = Pki(pki.storage, entropy=FakeEntropy("foreign")).root()
    text = pki.get(foreign, pki.issue(foreign))["Certificate"]
    forged = text.replace(text[200:204], "AAAA")
    with pytest.raises(InvalidArgument):
        list(listed(pki, forged.splitlines()))


@ONE
def test_what_is_expired_is_left_out(pki):
    root = pki.root()
    short, long = pki.issue(root, valid=days(1)), pki.issue(root)
    pki.clock.advance(timedelta(days=2))
    outcomes = run(pki, under(root))
    assert (outcomes[short], outcomes[long]) == (Outcome.EXPIRED, Outcome.REVOKED)


@ONE
def test_responders_are_left_alone_unless_they_are_named(pki):
    root = pki.root(RevocationConfiguration={"OcspConfiguration": {"Enabled": True}})
    pki.installation.rooms.ocsp_responders.current(root.rpartition("/")[2])
    [responder] = [arn for arn, each in run(pki, under(root)).items() if each is Outcome.RESPONDER]
    assert run(pki, LIST, listed(pki, [responder])) == {responder: Outcome.REVOKED}


@ONE
def test_the_inventory_of_acm_is_told(pki):
    root = pki.root()
    acm = pki.installation.client("acm")
    arns = [
        acm.request_certificate(
            DomainName=f"h{n}.example.com", CertificateAuthorityArn=root, KeyAlgorithm="EC_prime256v1"
        )["CertificateArn"]
        for n in range(4)
    ]
    pki.installation.work()
    run(pki, under(root))
    found = [acm.describe_certificate(CertificateArn=arn)["Certificate"] for arn in arns]
    assert {(each["Status"], each["RevocationReason"]) for each in found} == {("REVOKED", "SUPERSEDED")}


@ONE
def test_the_trail_names_each_certificate_and_the_mass_revocation(pki):
    root = pki.root()
    arn = pki.issue(root)
    run(pki, under(root))
    trail = pki.installation.client("cloudtrail")
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "RevokeCertificate"}])
    [event] = found["Events"]
    assert arn in {each["ResourceName"] for each in event["Resources"]}
    assert pki.mass.newest()[0].id in event["CloudTrailEvent"]


@ONE
def test_it_waits_for_what_is_being_issued(pki):
    from faults.recovery import order

    root = pki.root()
    prepared = pki.installation.rooms.issuance.prepare(caller(), root, order(csr()))
    mass_id = pki.mass.ask(caller(), under(root))
    pki.installation.work()
    assert pki.mass.find(mass_id).state is State.WAITING
    pki.installation.rooms.issuance.sign(prepared)
    pki.clock.advance(timedelta(seconds=15))
    pki.installation.work()
    assert prepared.entry.arn in revoked(pki)
    assert pki.mass.find(mass_id).state is State.DONE


@ONE
def test_it_waits_however_many_others_are_being_issued(pki, monkeypatch):
    from faults.recovery import order

    monkeypatch.setattr("greatseal.domain.revocation.mass.service._READ", 2)
    other, root = pki.root(), pki.root()
    for _ in range(2):
        pki.installation.rooms.issuance.prepare(caller(), other, order(csr()))
    pki.clock.advance(timedelta(seconds=1))
    prepared = pki.installation.rooms.issuance.prepare(caller(), root, order(csr()))
    mass_id = pki.mass.ask(caller(), under(root))
    pki.mass.step(mass_id)
    assert pki.mass.find(mass_id).state is State.WAITING
    pki.installation.rooms.issuance.sign(prepared)
    pki.mass.step(mass_id)
    assert pki.mass.find(mass_id).state is State.RUNNING


@ONE
def test_cancelling(pki):
    root = pki.root()
    issued = [pki.issue(root) for _ in range(8)]
    mass_id = pki.mass.ask_listed(caller(), LIST, listed(pki, issued))
    assert pki.mass.step(mass_id)
    assert pki.mass.step(mass_id)
    pki.mass.cancel(caller(), mass_id)
    pki.installation.work()
    found = pki.mass.find(mass_id)
    assert (found.state, found.total, found.done) == (State.CANCELLED, 8, 3)
    assert len(revoked(pki)) == 3
    assert count(pki, mass_revocation_item) == 0
    with pytest.raises(Conflict, match="CANCELLED already"):
        pki.mass.cancel(caller(), mass_id)
    with pytest.raises(NotFound):
        pki.mass.cancel(caller(), "nothing")


@ONE
def test_a_lost_job_is_put_back(pki):
    root = pki.root()
    pki.issue(root)
    mass_id = pki.mass.ask(caller(), under(root))
    pki.storage.transact(lambda tx: tx.execute(job.delete()))
    assert pki.mass.sweep() == 1
    assert pki.mass.sweep() == 0
    pki.installation.work()
    assert pki.mass.find(mass_id).state is State.DONE
    assert pki.mass.sweep() == 0


def test_several_nodes_and_single_revocations_at_once(pki):
    root = pki.root()
    issued = [pki.issue(root, csr(f"h{n}.example.com")) for n in range(40)]
    mass_id = pki.mass.ask(caller(), under(root))
    nodes = [Installation(pki.storage, clock=pki.clock, entropy=FakeEntropy(f"node {n}")).rooms for n in range(3)]
    for each in nodes:
        each.mass_revocations._batch = 3

    def work(number):
        if number == 3:
            for arn in issued[::5]:
                with suppress(AlreadyProcessed):
                    nodes[0].revocations.revoke(
                        caller(), root, serial=serial_of(arn), reason=RevocationReason.KEY_COMPROMISE
                    )
            return
        while nodes[number].mass_revocations.step(mass_id):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = pki.mass.find(mass_id)
    assert (found.state, found.done) == (State.DONE, 41)
    assert revoked(pki).keys() == set(issued)
    assert told_of(pki) == Counter(issued)
    assert found.outcomes[Outcome.REVOKED] + found.outcomes.get(Outcome.ALREADY_REVOKED, 0) == 40
