"""The order of evaluation, rule by rule, with the kind of policy that each verdict names (iam.md 2 and 6)."""

import pytest

from greatseal.domain.access.language import (
    Circumstances,
    CompiledPolicy,
    Context,
    DecidedBy,
    PolicyKind,
    Principal,
    Request,
    Verdict,
    denial_sentence,
    evaluate,
)
from rooms.access.asking import policy, statement

A, B = "111122223333", "444455556666"
CA = f"arn:aws:acm-pca:eu-west-1:{A}:certificate-authority/ca"
ISSUE = "acm-pca:IssueCertificate"
ROLE = f"arn:aws:iam::{A}:role/team/R"
SESSION = Principal.assumed_role(f"arn:aws:sts::{A}:assumed-role/R/s", ROLE)
USER = Principal.user(f"arn:aws:iam::{A}:user/alice")
ROOT = Principal.root(f"arn:aws:iam::{A}:root")
FEDERATED = Principal.federated_user(f"arn:aws:sts::{A}:federated-user/bob")
STRANGER = Principal.user(f"arn:aws:iam::{B}:user/eve")
ACM = Principal.service("acm.amazonaws.com")

ALL = policy(statement(), name="all")
NONE = policy(statement(action="s3:*"), name="none")
NO = policy(statement("Deny", Sid="No"), name="no")
FULL = policy(statement(), kind=PolicyKind.SCP, name="p-FullAWSAccess")


def _named(*names: str, effect: str = "Allow") -> CompiledPolicy:
    return policy(statement(effect, Principal={"AWS": list(names)}), kind=PolicyKind.RESOURCE, name="resource")


def _trust(*names: str) -> CompiledPolicy:
    entry = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": list(names)}}
    return policy(entry, kind=PolicyKind.TRUST, name="trust")


def _ask(at: Circumstances, action: str = ISSUE) -> Verdict:
    return evaluate(at, Request(at.principal, action, CA))


def _short(at: Circumstances, action: str = ISSUE) -> tuple[bool, DecidedBy, bool]:
    found = _ask(at, action)
    return found.allowed, found.kind, found.explicit


def _yes(kind: DecidedBy) -> tuple[bool, DecidedBy, bool]:
    return True, kind, True


def _silent(kind: DecidedBy) -> tuple[bool, DecidedBy, bool]:
    return False, kind, False


def _no(kind: DecidedBy) -> tuple[bool, DecidedBy, bool]:
    return False, kind, True


D = DecidedBy


def test_identity_policies_boundary_and_session() -> None:
    assert _short(Circumstances(USER, A, (NONE, ALL))) == _yes(D.IDENTITY)
    assert _short(Circumstances(USER, A)) == _silent(D.IDENTITY)
    assert _short(Circumstances(USER, A, (ALL,), boundary=NONE)) == _silent(D.BOUNDARY)
    assert _short(Circumstances(USER, A, (NONE,), boundary=ALL)) == _silent(D.IDENTITY)
    assert _short(Circumstances(SESSION, A, (ALL,))) == _yes(D.IDENTITY)
    assert _short(Circumstances(SESSION, A, (ALL,), session=(NONE,))) == _silent(D.SESSION)
    assert _short(Circumstances(SESSION, A, (ALL,), session=(NONE, ALL))) == _yes(D.IDENTITY)
    assert _short(Circumstances(SESSION, A, (ALL,), session=())) == _silent(D.SESSION)
    assert _short(Circumstances(FEDERATED, A, (ALL,))) == _silent(D.SESSION)
    assert _short(Circumstances(FEDERATED, A, (ALL,), session=(ALL,))) == _yes(D.IDENTITY)


def test_one_deny_anywhere_wins_and_the_first_kind_is_reported() -> None:
    deny = policy(statement("Deny", Principal="*"), kind=PolicyKind.RESOURCE)
    no_scp = policy(statement("Deny"), kind=PolicyKind.SCP)
    least = Circumstances(SESSION, A, (ALL,), ALL, (ALL, NO))
    assert _short(least) == _no(D.SESSION)
    assert _short(Circumstances(SESSION, A, (ALL,), NO, (NO,))) == _no(D.BOUNDARY)
    assert _short(Circumstances(SESSION, A, (ALL, NO), NO, (NO,))) == _no(D.IDENTITY)
    assert _short(Circumstances(SESSION, A, (NO,), NO, (NO,), deny)) == _no(D.RESOURCE)
    assert _short(Circumstances(SESSION, A, (NO,), resource=deny, scp_levels=((FULL, no_scp),))) == _no(D.SCP)
    found = _ask(Circumstances(USER, A, (ALL, NO)))
    assert (found.policy, found.statement, found.sid) == ("no", 0, "No")


def test_every_level_of_the_organization_must_allow() -> None:
    some = policy(statement(action="acm-pca:*"), kind=PolicyKind.SCP)
    other = policy(statement(action="s3:*"), kind=PolicyKind.SCP)
    assert _short(Circumstances(USER, A, (ALL,), scp_levels=((FULL,), (other, some)))) == _yes(D.IDENTITY)
    assert _short(Circumstances(USER, A, (ALL,), scp_levels=((FULL,), (other,)))) == _silent(D.SCP)
    assert _short(Circumstances(USER, A, (ALL,), scp_levels=((FULL,), ()))) == _silent(D.SCP)
    # they give nothing
    assert _short(Circumstances(USER, A, (), scp_levels=((FULL,),))) == _silent(D.IDENTITY)
    # and they bind root, but neither the management account nor service-linked roles nor services
    assert _short(Circumstances(ROOT, A, scp_levels=((other,),))) == _silent(D.SCP)
    assert _short(Circumstances(ROOT, A, scp_levels=((other,),), management_account=True)) == (True, D.ROOT, False)
    linked = Principal.assumed_role(SESSION.arn, ROLE, service_linked=True)
    assert _short(Circumstances(linked, A, (ALL,), scp_levels=((other,),))) == _yes(D.IDENTITY)
    everybody = policy(statement(Principal="*"), kind=PolicyKind.RESOURCE)
    assert _short(Circumstances(ACM, A, resource=everybody, scp_levels=((other,),))) == _yes(D.RESOURCE)


def test_a_resource_policy_in_the_same_account() -> None:
    user, session, role, account = _named(USER.arn), _named(SESSION.arn), _named(ROLE), _named(A)
    # names the user, the session or the federated user: silence elsewhere does not matter
    assert _short(Circumstances(USER, A, (), NONE, resource=user)) == _yes(D.RESOURCE)
    assert _short(Circumstances(SESSION, A, (), NONE, (NONE,), session)) == _yes(D.RESOURCE)
    assert _short(Circumstances(FEDERATED, A, resource=_named(FEDERATED.arn))) == _yes(D.RESOURCE)
    # names the role: no identity policy is needed, but boundary and session limit
    assert _short(Circumstances(SESSION, A, (), resource=role)) == _yes(D.RESOURCE)
    assert _short(Circumstances(SESSION, A, (), NONE, resource=role)) == _silent(D.BOUNDARY)
    assert _short(Circumstances(SESSION, A, (), session=(NONE,), resource=role)) == _silent(D.SESSION)
    # names the account: identity policies decide
    assert _short(Circumstances(USER, A, (), resource=account)) == _silent(D.IDENTITY)
    assert _short(Circumstances(USER, A, (ALL,), resource=account)) == _yes(D.IDENTITY)
    # says nothing: neither
    assert _short(Circumstances(USER, A, (ALL,), resource=_named(B))) == _yes(D.IDENTITY)
    # a star with a condition on the principal is a direct grant
    entry = statement(Principal="*", Condition={"ArnLike": {"aws:PrincipalArn": ROLE}})
    star = policy(entry, kind=PolicyKind.RESOURCE, name="star")
    at = Circumstances(SESSION, A, (), NONE, (NONE,), star)
    assert _short(at) == _silent(D.IDENTITY)
    context = Context({"aws:PrincipalArn": ROLE})
    assert evaluate(at, Request(SESSION, ISSUE, CA, context)) == Verdict(True, D.RESOURCE, True, "star", 0)


def test_across_accounts_both_sides_must_allow() -> None:
    for names in ((B,), (STRANGER.arn,)):
        assert _short(Circumstances(STRANGER, A, (ALL,), resource=_named(*names))) == _yes(D.IDENTITY)
        assert _short(Circumstances(STRANGER, A, (), resource=_named(*names))) == _silent(D.IDENTITY)
        assert _short(Circumstances(STRANGER, A, (ALL,), NONE, resource=_named(*names))) == _silent(D.BOUNDARY)
    assert _short(Circumstances(STRANGER, A, (ALL,))) == _silent(D.RESOURCE)
    assert _short(Circumstances(STRANGER, A, (), resource=_named(A))) == _silent(D.RESOURCE)
    other_root = Principal.root(f"arn:aws:iam::{B}:root")
    assert _short(Circumstances(other_root, A)) == _silent(D.RESOURCE)
    assert _short(Circumstances(other_root, A, resource=_named(B))) == (True, D.ROOT, False)
    assert _short(Circumstances(STRANGER, "", (ALL,))) == _yes(D.IDENTITY)


def test_root() -> None:
    assert _short(Circumstances(ROOT, A)) == (True, D.ROOT, False)
    assert _short(Circumstances(ROOT, A, (NO,), NO, (NO,))) == (True, D.ROOT, False)
    assert _short(Circumstances(ROOT, A, resource=_named(A, effect="Deny"))) == _no(D.RESOURCE)


def test_keys_let_nobody_in_unless_their_own_policy_does() -> None:
    """kms.md 15: not even root; naming the account lets its identity policies decide."""
    assert _short(Circumstances(ROOT, A, authoritative=True)) == _silent(D.RESOURCE)
    assert _short(Circumstances(ROOT, A, resource=_named(USER.arn), authoritative=True)) == _silent(D.RESOURCE)
    assert _short(Circumstances(ROOT, A, resource=_named(A), authoritative=True)) == (True, D.ROOT, False)
    assert _short(Circumstances(USER, A, (ALL,), resource=_named(ROLE), authoritative=True)) == _silent(D.RESOURCE)
    assert _short(Circumstances(USER, A, (ALL,), resource=_named(A), authoritative=True)) == _yes(D.IDENTITY)
    assert _short(Circumstances(USER, A, (), resource=_named(A), authoritative=True)) == _silent(D.IDENTITY)
    assert _short(Circumstances(USER, A, (), resource=_named(USER.arn), authoritative=True)) == _yes(D.RESOURCE)


def test_trust_policies() -> None:
    assume = "sts:AssumeRole"
    assert _short(Circumstances(USER, A, (ALL,), resource=_trust(B)), assume) == _silent(D.TRUST)
    assert _short(Circumstances(USER, A, (), resource=_trust(USER.arn)), assume) == _yes(D.TRUST)
    assert _short(Circumstances(USER, A, (), resource=_trust(A)), assume) == _silent(D.IDENTITY)
    assert _short(Circumstances(STRANGER, A, (), resource=_trust(STRANGER.arn)), assume) == _silent(D.IDENTITY)
    assert _short(Circumstances(STRANGER, A, (ALL,), resource=_trust(STRANGER.arn)), assume) == _yes(D.IDENTITY)
    assert _short(Circumstances(ROOT, A, resource=_trust(USER.arn)), assume) == _silent(D.TRUST)
    token = Principal.web_identity(f"arn:aws:iam::{A}:oidc-provider/id.example.com")
    entry = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": token.arn}}
    web = policy(entry, kind=PolicyKind.TRUST)
    assert _short(Circumstances(token, A, resource=web), "sts:AssumeRoleWithWebIdentity") == _yes(D.TRUST)
    assert _short(Circumstances(token, A, resource=_trust(A)), "sts:AssumeRoleWithWebIdentity") == _silent(D.TRUST)


def test_services_and_strangers_have_only_what_a_resource_gives() -> None:
    named = policy(statement(Principal={"Service": "acm.amazonaws.com"}), kind=PolicyKind.RESOURCE)
    assert _short(Circumstances(ACM, A, resource=named)) == _yes(D.RESOURCE)
    assert _short(Circumstances(ACM, A, (ALL,))) == _silent(D.RESOURCE)
    assert _short(Circumstances(Principal.anonymous(), A, (ALL,), resource=named)) == _silent(D.RESOURCE)


def test_a_request_of_somebody_else_is_a_defect() -> None:
    with pytest.raises(ValueError, match="different principals"):
        evaluate(Circumstances(USER, A), Request(ROOT, ISSUE, CA))


START = f"User: {SESSION.arn} is not authorized to perform: {ISSUE} on resource: {CA} "


@pytest.mark.parametrize(
    ("kind", "explicit", "end"),
    [
        (D.SCP, True, "with an explicit deny in a service control policy"),
        (D.RCP, True, "with an explicit deny in a resource control policy"),
        (D.IDENTITY, True, "with an explicit deny in an identity-based policy"),
        (D.RESOURCE, True, "with an explicit deny in a resource-based policy"),
        (D.BOUNDARY, True, "with an explicit deny in a permissions boundary"),
        (D.SESSION, True, "with an explicit deny in a session policy"),
        (D.VPC_ENDPOINT, True, "with an explicit deny in a VPC endpoint policy"),
        (D.TRUST, True, "with an explicit deny in the role trust policy"),
        (D.SCP, False, f"because no service control policy allows the {ISSUE} action"),
        (D.IDENTITY, False, f"because no identity-based policy allows the {ISSUE} action"),
        (D.RESOURCE, False, f"because no resource-based policy allows the {ISSUE} action"),
        (D.BOUNDARY, False, f"because no permissions boundary allows the {ISSUE} action"),
        (D.SESSION, False, f"because no session policy allows the {ISSUE} action"),
        (D.VPC_ENDPOINT, False, f"because no VPC endpoint policy allows the {ISSUE} action"),
        (D.TRUST, False, f"because no role trust policy allows the {ISSUE} action"),
    ],
)
def test_sentences(kind: DecidedBy, explicit: bool, end: str) -> None:
    assert denial_sentence(Verdict(False, kind, explicit), SESSION.arn, ISSUE, CA) == START + end


def test_a_sentence_without_resource_and_one_without_denial() -> None:
    assert denial_sentence(Verdict(False, D.IDENTITY), "u", "a:B") == (
        "User: u is not authorized to perform: a:B because no identity-based policy allows the a:B action"
    )
    with pytest.raises(ValueError, match="nothing was denied"):
        denial_sentence(Verdict(True, D.ROOT), "u", "a:B")
