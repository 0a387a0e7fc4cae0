"""Where a caller stands: its principal, the policies around it, and the condition keys that go with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from greatseal.domain.access import managed
from greatseal.domain.access.language import (
    CompiledPolicy,
    PolicyKind,
    Principal,
    compile_policy,
    parse_policy,
)
from greatseal.domain.access.language.context import Value
from greatseal.domain.access.managed import ADMINISTRATOR
from greatseal.domain.access.managed_table import SERVICE_ROLE_PATH, SERVICE_ROLES
from greatseal.domain.access.model import Identity, Membership, is_root
from greatseal.domain.access.store import reading
from greatseal.domain.access.store.reading import NamedDocument
from greatseal.domain.tags import Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller, Session
from greatseal.storage import Tx

Policies = tuple[CompiledPolicy, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything about a caller that stays the same from request to request, until the generation changes."""

    principal: Principal
    keys: Mapping[str, Value]
    """Condition keys of the principal."""
    identity: Policies = ()
    boundary: CompiledPolicy | None = None
    session: Policies | None = None
    scp_levels: tuple[Policies, ...] = ()
    management_account: bool = False
    membership: Membership | None = field(default=None, repr=False)


@lru_cache(maxsize=4096)
def compiled(document: str, kind: PolicyKind, name: str) -> CompiledPolicy:
    """A stored document, compiled once for each version."""
    return compile_policy(parse_policy(document, kind), name)


def load(tx: Tx, tags: Tags, caller: Caller, membership: Membership | None) -> Standing:
    """The standing of a caller who signed."""
    session = caller.session
    found = _issuer(tx, caller)
    principal = _principal(caller, found)
    documents = _documents(tx, caller, found)
    boundary = _boundary(tx, found)
    keys: dict[str, Value] = {
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalArn": session.issuer_arn if principal.role_arn and session else caller.principal_arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": _TYPES.get(_kind(caller), "User"),
        "aws:userid": caller.principal_id,
        **_tag_keys(tx, tags, caller, found),
        **_session_keys(session),
        **_membership_keys(membership, "Principal"),
    }
    if _kind(caller) == "user":
        keys["aws:username"] = caller.principal_arn.rpartition("/")[2]
    levels = membership.service_control if membership else ()
    return Standing(
        principal=principal,
        keys=keys,
        identity=tuple(compiled(each.document, PolicyKind.IDENTITY, each.name) for each in documents),
        boundary=boundary,
        session=_session_policies(tx, session),
        scp_levels=tuple(tuple(compiled(text, PolicyKind.SCP, name) for name, text in level) for level in levels),
        management_account=bool(membership and membership.management_account),
        membership=membership,
    )


def of_service(name: str) -> Standing:
    """A service that acts for itself, for instance `rolesanywhere.amazonaws.com`."""
    keys = {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": name, "aws:PrincipalType": "AWSService"}
    return Standing(Principal.service(name), keys)


def of_web_identity(provider_arn: str, keys: Mapping[str, Value]) -> Standing:
    """The bearer of a token of this provider; `keys` are what the token says."""
    return Standing(Principal.web_identity(provider_arn), {"aws:PrincipalType": "FederatedUser", **keys})


def of_service_linked_role(account: str, partition: str, service: str) -> Standing:
    """A service's own role in an account. It stands without a row: nobody may change what it carries."""
    known = SERVICE_ROLES[service]
    role_arn = str(Arn(partition, "iam", "", account, f"role{SERVICE_ROLE_PATH}{service}/{known.name}"))
    session_arn = str(Arn(partition, "sts", "", account, f"assumed-role/{known.name}/{service.partition('.')[0]}"))
    policy = f"arn:{partition}:iam::aws:policy{SERVICE_ROLE_PATH}{known.policy}"
    document = managed.document_of(policy)
    assert document is not None
    keys: dict[str, Value] = {
        "aws:PrincipalAccount": account,
        "aws:PrincipalArn": role_arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole",
    }
    return Standing(
        Principal.assumed_role(session_arn, role_arn, service_linked=True),
        keys,
        identity=(compiled(document, PolicyKind.IDENTITY, policy),),
    )


def _membership_keys(membership: Membership | None, whose: str) -> dict[str, Value]:
    if membership is None:
        return {}
    return {f"aws:{whose}OrgID": membership.organization_id, f"aws:{whose}OrgPaths": (membership.path,)}


def resource_keys(account: str, membership: Membership | None) -> dict[str, Value]:
    """The condition keys of a resource's owner."""
    return {"aws:ResourceAccount": account, **_membership_keys(membership, "Resource")}


def _kind(caller: Caller) -> str:
    """`root`, `user`, `assumed-role` or `federated-user`."""
    return Arn.parse(caller.principal_arn).resource.partition("/")[0]


_TYPES = {"root": "Account", "user": "User", "assumed-role": "AssumedRole", "federated-user": "FederatedUser"}


def _issuer(tx: Tx, caller: Caller) -> Identity | None:
    """The user or role whose policies count; None for a root, and for one that was deleted since."""
    identity_id = caller.session.issuer_id if caller.session else caller.principal_id
    found = reading.identity_by_id(tx, identity_id)
    return found if found is not None and found.account == caller.account else None


def _principal(caller: Caller, found: Identity | None) -> Principal:
    match _kind(caller):
        case "root":
            return Principal.root(caller.principal_arn)
        case "assumed-role":
            assert caller.session is not None
            linked = found is not None and found.service_linked
            session = caller.session
            return Principal.assumed_role(
                caller.principal_arn, session.issuer_arn, session.issuer_id, service_linked=linked
            )
        case "federated-user":
            return Principal.federated_user(caller.principal_arn)
        case _:
            return Principal.user(caller.principal_arn, caller.principal_id)


def _documents(tx: Tx, caller: Caller, found: Identity | None) -> list[NamedDocument]:
    if found is not None:
        return reading.documents_of(tx, found)
    if caller.session and caller.session.issuer_id == caller.account and not is_root(caller):
        # A federated user of the root: the session policy alone limits it.
        return reading.managed_documents(tx, [ADMINISTRATOR])
    return []


def _boundary(tx: Tx, found: Identity | None) -> CompiledPolicy | None:
    if found is None or found.boundary_arn is None:
        return None
    documents = reading.managed_documents(tx, [found.boundary_arn])
    # A boundary whose policy is gone lets nothing through.
    document = documents[0].document if documents else _NOTHING
    return compiled(document, PolicyKind.BOUNDARY, found.boundary_arn)


_NOTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'


def _session_policies(tx: Tx, session: Session | None) -> Policies | None:
    if session is None or not (session.policies or session.policy_arns):
        return None
    inline = [NamedDocument("session policy", each) for each in session.policies]
    # Policies that were deleted since are left out: what is passed on only becomes less.
    documents = inline + reading.managed_documents(tx, list(session.policy_arns))
    return tuple(compiled(each.document, PolicyKind.SESSION, each.name) for each in documents)


def _tag_keys(tx: Tx, tags: Tags, caller: Caller, found: Identity | None) -> dict[str, Value]:
    """`aws:PrincipalTag/…`: the tags of the user or role, overridden by those of the session (iam.md 5)."""
    values: dict[str, tuple[str, str]] = {}
    if found is not None:
        partition = Arn.parse(caller.principal_arn).partition
        for tag in tags.of(tx, found.arn(partition)):
            values[tag.key.lower()] = tag.key, tag.value or ""
    for key, value in caller.session.tags if caller.session else ():
        values[key.lower()] = key, value
    return {f"aws:PrincipalTag/{key}": value for key, value in values.values()}


def _session_keys(session: Session | None) -> dict[str, Value]:
    if session is None:
        return {}
    keys: dict[str, Value] = {
        "aws:TokenIssueTime": session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        # We have no second factor; the key is there for all temporary credentials, and absent for the others.
        "aws:MultiFactorAuthPresent": "false",
    }
    if session.source_identity:
        keys["aws:SourceIdentity"] = session.source_identity
    if session.provider:
        keys["aws:FederatedProvider"] = session.provider
    return keys | dict(session.keys)
