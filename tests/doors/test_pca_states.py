"""Every operation in every state that a CA can reach (acm-pca.md section 4), on both databases.

States are reached as an owner reaches them: by the API and by the passing of time. CREATING and FAILED last
for no time here, because creation is one transaction; those two are written into the table.
"""

from datetime import timedelta

import pytest
from sqlalchemy import update

from doors.pki import Pki, csr, days, refused, serial_of
from greatseal.domain.authorities.store.authorities import authority

ISSUING = "The certificate authority is not in a valid state for issuing certificates"
NO_CSR = "is not in the correct state to have a certificate signing request"
NO_CERTIFICATES = "is not in the correct state to have issued certificates."
DELETION = "The certificate authority is not in a valid state for deletion."
RESTORATION = "The certificate authority is not in a valid state for restoration."
STATE = "InvalidStateException"
OK = ""

# One column a state, in the order of STATES; a cell is OK or the error code.
STATES = ("PENDING_CERTIFICATE", "ACTIVE", "DISABLED", "EXPIRED", "DELETED", "CREATING", "FAILED")
TABLE = {
    "describe": (OK, OK, OK, OK, OK, OK, OK),
    "list": (OK, OK, OK, OK, OK, OK, OK),
    "csr": (OK, OK, OK, OK, STATE, "RequestInProgressException", STATE),
    "ca certificate": (STATE, OK, OK, OK, STATE, STATE, STATE),
    "import": (OK, OK, STATE, OK, STATE, STATE, STATE),
    "issue": (STATE, OK, STATE, STATE, STATE, STATE, STATE),
    "issue root": (OK, OK, STATE, STATE, STATE, STATE, STATE),
    "get": (OK, OK, OK, OK, STATE, STATE, STATE),
    "revoke": (STATE, OK, OK, STATE, STATE, STATE, STATE),
    "update": (STATE, OK, OK, STATE, STATE, STATE, STATE),
    "delete": (OK, STATE, OK, OK, STATE, OK, OK),
    "restore": (STATE, STATE, STATE, STATE, OK, STATE, STATE),
    "permissions": (OK, OK, OK, OK, STATE, STATE, STATE),
    "tags": (OK, OK, OK, OK, STATE, OK, OK),
}
TEXTS = {
    "csr": NO_CSR,
    "ca certificate": NO_CSR,
    "issue": ISSUING,
    "issue root": ISSUING,
    "get": NO_CERTIFICATES,
    "delete": DELETION,
    "restore": RESTORATION,
}


class Subject:
    """A root, prepared to be in a state, and one call of each kind on it."""

    def __init__(self, storage, state):
        self.pki = pki = Pki(storage)
        self.pca = pki.pca
        self.arn = pki.create("ROOT")
        self.own = pki.issue(self.arn, pki.csr_of(self.arn), using="RootCACertificate", valid=days(100))
        self.certificate = pki.get(self.arn, self.own)["Certificate"].encode()
        self.csr = pki.csr_of(self.arn)
        self.leaf = self.own
        if state == "PENDING_CERTIFICATE":
            return
        if state in ("CREATING", "FAILED"):
            change = update(authority).where(authority.c.arn == self.arn).values(status=state)
            storage.transact(lambda tx: tx.execute(change))
            return
        pki.pca.import_certificate_authority_certificate(CertificateAuthorityArn=self.arn, Certificate=self.certificate)
        self.leaf = pki.issue(self.arn, valid=days(90))
        longer = pki.issue(self.arn, pki.csr_of(self.arn), using="RootCACertificate", valid=days(900))
        self.certificate = pki.get(self.arn, longer)["Certificate"].encode()
        if state in ("DISABLED", "DELETED"):
            pki.set_status(self.arn, "DISABLED")
        if state == "DELETED":
            pki.delete(self.arn)
        if state == "EXPIRED":
            pki.clock.advance(timedelta(days=100, seconds=1))

    def describe(self):
        assert self.pki.status(self.arn)

    def list(self):
        listed = self.pca.list_certificate_authorities()["CertificateAuthorities"]
        assert listed == [self.pki.describe(self.arn)]

    def csr_(self):
        assert self.pki.csr_of(self.arn) == self.csr

    def ca_certificate(self):
        assert self.pca.get_certificate_authority_certificate(CertificateAuthorityArn=self.arn)["Certificate"]

    def import_(self):
        self.pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=self.arn, Certificate=self.certificate
        )
        assert self.pki.status(self.arn) == "ACTIVE"

    def issue(self):
        self.pki.issue(self.arn, csr(), algorithm="SHA256WITHECDSA")

    def issue_root(self):
        self.pki.issue(self.arn, self.csr, using="RootCACertificate", algorithm="SHA256WITHECDSA")

    def get(self):
        assert self.pki.get(self.arn, self.leaf)["Certificate"]

    def revoke(self):
        self.pca.revoke_certificate(
            CertificateAuthorityArn=self.arn,
            CertificateSerial=serial_of(self.leaf),
            RevocationReason="SUPERSEDED",
        )

    def update(self):
        self.pki.set_status(self.arn, "ACTIVE")
        assert self.pki.status(self.arn) == "ACTIVE"

    def delete(self):
        self.pca.delete_certificate_authority(CertificateAuthorityArn=self.arn)
        assert self.pki.status(self.arn) == "DELETED"

    def restore(self):
        self.pca.restore_certificate_authority(CertificateAuthorityArn=self.arn)
        assert self.pki.status(self.arn) == "DISABLED"

    def permissions(self):
        who = {"CertificateAuthorityArn": self.arn, "Principal": "acm.amazonaws.com"}
        self.pca.create_permission(**who, Actions=["IssueCertificate"])
        assert len(self.pca.list_permissions(CertificateAuthorityArn=self.arn)["Permissions"]) == 1
        self.pca.delete_permission(**who)

    def tags(self):
        self.pca.tag_certificate_authority(CertificateAuthorityArn=self.arn, Tags=[{"Key": "a", "Value": "b"}])
        assert self.pca.list_tags(CertificateAuthorityArn=self.arn)["Tags"] == [{"Key": "a", "Value": "b"}]
        self.pca.untag_certificate_authority(CertificateAuthorityArn=self.arn, Tags=[{"Key": "a"}])

    def call(self, act):
        {"csr": self.csr_, "import": self.import_}.get(act, getattr(self, act.replace(" ", "_"), None))()


@pytest.mark.parametrize("state", STATES)
def test_each_operation_in(storage, state):
    subject = Subject(storage, state)
    assert subject.pki.status(subject.arn) == state
    column = STATES.index(state)
    # Refusals first, and twice: they change nothing. Of the others, those that move the CA come last.
    acts = sorted(TABLE, key=lambda act: (TABLE[act][column] == OK, act in ("update", "import", "restore", "delete")))
    for act in acts:
        expected = TABLE[act][column]
        if expected == OK:
            if act in ("update", "import", "restore", "delete"):
                continue
            subject.call(act)
            continue
        for _ in range(2):
            before = subject.pki.describe(subject.arn)
            with subject.pki.nothing_issued(), refused(expected, TEXTS.get(act, "") if expected == STATE else ""):
                subject.call(act)
            assert subject.pki.describe(subject.arn) == before


MOVES = [
    (act, state)
    for act in ("update", "import", "restore", "delete")
    for state in ("PENDING_CERTIFICATE", "ACTIVE", "DISABLED", "EXPIRED", "DELETED")
    if TABLE[act][STATES.index(state)] == OK
]


@pytest.mark.parametrize(("act", "state"), MOVES)
def test_operations_that_move_a_ca(storage, act, state):
    Subject(storage, state).call(act)


@pytest.mark.parametrize("permission", ["create", "list", "delete"])
def test_permission_operations_of_a_deleted_ca_are_refused_one_by_one(storage, permission):
    subject = Subject(storage, "DELETED")
    who = {"CertificateAuthorityArn": subject.arn, "Principal": "acm.amazonaws.com"}
    with refused(STATE):
        match permission:
            case "create":
                subject.pca.create_permission(**who, Actions=["IssueCertificate"])
            case "list":
                subject.pca.list_permissions(CertificateAuthorityArn=subject.arn)
            case _:
                subject.pca.delete_permission(**who)


@pytest.mark.parametrize("disabled", [False, True])
def test_a_new_certificate_brings_an_expired_ca_back_as_it_was(storage, disabled):
    subject = Subject(storage, "ACTIVE")
    pki = subject.pki
    if disabled:
        pki.set_status(subject.arn, "DISABLED")
    pki.clock.advance(timedelta(days=100))
    assert pki.status(subject.arn) == ("DISABLED" if disabled else "ACTIVE")
    pki.clock.advance(timedelta(seconds=1))
    assert pki.status(subject.arn) == "EXPIRED"
    pki.pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=subject.arn, Certificate=subject.certificate
    )
    assert pki.status(subject.arn) == ("DISABLED" if disabled else "ACTIVE")


def test_disabled_stops_issuing_and_enabling_starts_it_again(storage):
    subject = Subject(storage, "ACTIVE")
    subject.pki.clock.advance(timedelta(minutes=3))
    for _ in range(2):
        subject.pki.set_status(subject.arn, "DISABLED")
    assert subject.pki.describe(subject.arn)["LastStateChangeAt"] == subject.pki.now
    with subject.pki.nothing_issued(), refused(STATE, ISSUING):
        subject.issue()
    for _ in range(2):
        subject.pki.set_status(subject.arn, "ACTIVE")
    subject.issue()


@pytest.mark.parametrize("status", ["CREATING", "PENDING_CERTIFICATE", "EXPIRED", "DELETED", "FAILED"])
def test_only_two_states_can_be_set(storage, status):
    subject = Subject(storage, "ACTIVE")
    with refused("InvalidArgsException"):
        subject.pki.set_status(subject.arn, status)
    with refused("ValidationException", "enum value set"):
        subject.pki.set_status(subject.arn, "active")


# -- deletion and restoration (2.11, 2.12) -------------------------------------------------------------------


@pytest.mark.parametrize("window", [7, 30])
def test_a_deleted_ca_lives_until_its_window_closes(storage, window):
    subject = Subject(storage, "DISABLED")
    pki, arn = subject.pki, subject.arn
    pki.delete(arn, window)
    assert pki.describe(arn)["RestorableUntil"] == pki.now + timedelta(days=window)
    pki.clock.advance(timedelta(days=window) - timedelta(seconds=1))
    pki.installation.work()
    assert pki.status(arn) == "DELETED"
    pki.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        for call in (subject.describe, subject.restore, subject.csr_, subject.get, subject.delete, subject.tags):
            with refused("ResourceNotFoundException", f"Could not find Certificate Authority {arn}"):
                call()
        assert pki.pca.list_certificate_authorities()["CertificateAuthorities"] == []
        # The second time round its key is destroyed.
        pki.clock.advance(timedelta(hours=2))
        pki.installation.work()


def test_the_window_is_30_days_unless_told_and_has_bounds(storage):
    subject = Subject(storage, "DISABLED")
    for window, bound in ((6, "greater than or equal to 7"), (31, "less than or equal to 30")):
        with refused("ValidationException", f"Member must have value {bound}"):
            subject.pki.delete(subject.arn, window)
    subject.pca.delete_certificate_authority(CertificateAuthorityArn=subject.arn)
    described = subject.pki.describe(subject.arn)
    assert described["RestorableUntil"] == subject.pki.now + timedelta(days=30)


@pytest.mark.parametrize(
    ("state", "after"),
    [("PENDING_CERTIFICATE", "PENDING_CERTIFICATE"), ("DISABLED", "DISABLED"), ("EXPIRED", "EXPIRED")],
)
def test_restoring_brings_the_earlier_state_back(storage, state, after):
    subject = Subject(storage, state)
    subject.pki.delete(subject.arn)
    subject.pca.restore_certificate_authority(CertificateAuthorityArn=subject.arn)
    described = subject.pki.describe(subject.arn)
    assert described["Status"] == after
    assert "RestorableUntil" not in described
    if state == "DISABLED":
        subject.pki.set_status(subject.arn, "ACTIVE")
        subject.issue()
    with refused(STATE, RESTORATION):
        subject.pca.restore_certificate_authority(CertificateAuthorityArn=subject.arn)


def test_a_ca_that_expires_while_deleted_comes_back_expired(storage):
    subject = Subject(storage, "DISABLED")
    subject.pki.clock.advance(timedelta(days=99))
    subject.pki.delete(subject.arn)
    subject.pki.clock.advance(timedelta(days=2))
    assert subject.pki.status(subject.arn) == "DELETED"
    subject.restore_ = subject.pca.restore_certificate_authority(CertificateAuthorityArn=subject.arn)
    assert subject.pki.status(subject.arn) == "EXPIRED"


def test_creation_that_did_not_finish_is_gone_for_good_once_deleted(storage):
    for state in ("CREATING", "FAILED"):
        subject = Subject(storage, state)
        subject.pca.delete_certificate_authority(CertificateAuthorityArn=subject.arn)
        with refused("ResourceNotFoundException"):
            subject.describe()
