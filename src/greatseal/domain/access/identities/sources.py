"""The policies that a simulation weighs, each with the name under which it is reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from greatseal.domain.access import managed
from greatseal.domain.access.identities.positions import Span, statement_spans
from greatseal.domain.access.language import CompiledPolicy, MalformedPolicy, PolicyKind, compile_policy, parse_policy
from greatseal.domain.access.language.wildcards import matcher, tokens_of
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store import identities, policies, reading
from greatseal.kernel.errors import InvalidPolicy
from greatseal.storage import Tx


class Category(Enum):
    """What a policy is to the principal; the values are those of exclusions."""

    INLINE = "inline"
    AWS_MANAGED = "aws-managed"
    USER_MANAGED = "user-managed"
    BOUNDARY = "permission-boundary"
    SERVICE_CONTROL = "scp"
    GIVEN = "given"
    """Part of the request; exclusions do not touch it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A policy of a simulation."""

    policy: CompiledPolicy
    document: str
    id: str
    """How results name it: `PolicyInputList.1`, `user_bob_MyPolicy`, or a managed policy's name."""
    type: str
    """user, group, role, aws-managed, user-managed, resource or none."""
    category: Category
    arn: str = ""
    """Of a managed policy."""
    owner: tuple[IdentityKind, str] | None = None
    """Of an inline policy: who carries it."""
    name: str = ""

    def span(self, index: int) -> Span:
        """Where a statement stands."""
        return statement_spans(self.document)[index]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Policies to leave out: one of a category, an ARN with wildcards, or an inline policy's name with its owner."""

    category: Category | None = None
    arn: str = ""
    policy_name: str = ""
    owner_kind: IdentityKind | None = None
    owner_name: str = ""

    def speaks_of(self, source: Source) -> bool:
        """Whether this policy is left out."""
        if source.category is Category.GIVEN:
            return False
        if self.category is not None:
            return source.category is self.category
        if self.arn:
            return source.category is not Category.BOUNDARY and matcher(tokens_of(self.arn))(source.arn)
        if source.owner is None or source.name != self.policy_name or source.owner[0] is not self.owner_kind:
            return False
        return matcher(tokens_of(self.owner_name))(source.owner[1])


def given(documents: Sequence[str], kind: PolicyKind, called: str) -> list[Source]:
    """Policies of the request. Raises InvalidPolicy with the number of the one that is not in the grammar."""
    found = []
    for number, document in enumerate(documents, 1):
        name = f"{called}.{number}" if called.endswith("List") else called
        try:
            policy = compile_policy(parse_policy(document, kind), name)
        except MalformedPolicy as error:
            raise InvalidPolicy(f"{name}: {error}") from None
        source_type = "resource" if kind is PolicyKind.RESOURCE else "none"
        found.append(Source(policy, document, name, source_type, Category.GIVEN))
    return found


def carried_by(tx: Tx, found: Identity) -> list[Source]:
    """The policies of an identity, for a user with those of its groups."""
    owners = [found]
    if found.kind is IdentityKind.USER:
        owners += identities.groups_of(tx, found.id)
    sources = [
        _inline(owner, name, document)
        for owner in owners
        for name, document in policies.inline_of(tx, owner.id).items()
    ]
    arns = dict.fromkeys(arn for owner in owners for arn in policies.attached_to(tx, owner.id))
    return sources + [
        _managed(each.name, each.document, PolicyKind.IDENTITY) for each in reading.managed_documents(tx, list(arns))
    ]


def boundary_of(tx: Tx, found: Identity) -> list[Source]:
    """The boundary of an identity, if it has one."""
    arns = [] if found.boundary_arn is None else [found.boundary_arn]
    return [
        _managed(each.name, each.document, PolicyKind.BOUNDARY, Category.BOUNDARY)
        for each in reading.managed_documents(tx, arns)
    ]


def service_control(levels: Sequence[Sequence[tuple[str, str]]]) -> list[list[Source]]:
    """Service control policies as a membership has them: (name, document) by level."""
    return [
        [
            Source(_compiled(document, PolicyKind.SCP, name), document, name, "none", Category.SERVICE_CONTROL)
            for name, document in level
        ]
        for level in levels
    ]


def _inline(owner: Identity, name: str, document: str) -> Source:
    word = owner.kind.value
    called = f"{word}_{owner.name}_{name}"
    policy = _compiled(document, PolicyKind.IDENTITY, called)
    return Source(policy, document, called, word, Category.INLINE, owner=(owner.kind, owner.name), name=name)


def _managed(arn: str, document: str, kind: PolicyKind, category: Category | None = None) -> Source:
    of_aws = managed.find(arn) is not None
    own = Category.AWS_MANAGED if of_aws else Category.USER_MANAGED
    name = arn.rpartition("/")[2]
    return Source(_compiled(document, kind, arn), document, name, own.value, category or own, arn=arn)


def _compiled(document: str, kind: PolicyKind, name: str) -> CompiledPolicy:
    return compile_policy(parse_policy(document, kind), name)
