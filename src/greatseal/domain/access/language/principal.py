"""Who asks, as policies see it: a principal answers to several names at once (iam.md 1)."""

from dataclasses import dataclass
from enum import Enum

from greatseal.kernel.arn import Arn


class PrincipalKind(Enum):
    """The kinds of callers that evaluation tells apart (iam.md 2)."""

    ROOT = "root"
    USER = "user"
    ASSUMED_ROLE = "assumed role"
    FEDERATED_USER = "federated user"
    WEB_IDENTITY = "web identity"
    """The bearer of a token of an identity provider, who asks for a role without a signature."""
    SERVICE = "service"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. `arn` is the name that messages print: for a session the session ARN, for a service its name."""

    kind: PrincipalKind
    arn: str
    account: str = ""
    """Empty for services, web identities and anonymous callers, which belong to no account."""
    role_arn: str = ""
    """Of an assumed role: the role's ARN with its path."""
    unique_id: str = ""
    """AIDA… of a user or AROA… of a role, which a stored policy may name instead of the ARN (iam.md 3)."""
    service_linked: bool = False
    """A session of a service-linked role, which service control policies do not touch."""

    @classmethod
    def root(cls, arn: str) -> "Principal":
        """The root user of the account in this ARN. Raises ValueError when the text is not an ARN."""
        return cls(PrincipalKind.ROOT, arn, Arn.parse(arn).account)

    @classmethod
    def user(cls, arn: str, unique_id: str = "") -> "Principal":
        """An IAM user. Raises ValueError when the text is not an ARN."""
        return cls(PrincipalKind.USER, arn, Arn.parse(arn).account, unique_id=unique_id)

    @classmethod
    def assumed_role(
        cls, session_arn: str, role_arn: str, unique_id: str = "", *, service_linked: bool = False
    ) -> "Principal":
        """A session of a role. Raises ValueError when the session's name is not an ARN."""
        account = Arn.parse(session_arn).account
        return cls(PrincipalKind.ASSUMED_ROLE, session_arn, account, role_arn, unique_id, service_linked)

    @classmethod
    def federated_user(cls, arn: str) -> "Principal":
        """The bearer of a federation token. Raises ValueError when the text is not an ARN."""
        return cls(PrincipalKind.FEDERATED_USER, arn, Arn.parse(arn).account)

    @classmethod
    def web_identity(cls, provider: str) -> "Principal":
        """The bearer of a token of this provider (the ARN or the host name that trust policies write)."""
        return cls(PrincipalKind.WEB_IDENTITY, provider)

    @classmethod
    def service(cls, name: str) -> "Principal":
        """A service that acts for itself, for instance `acm.amazonaws.com`."""
        return cls(PrincipalKind.SERVICE, name)

    @classmethod
    def anonymous(cls) -> "Principal":
        """A caller without a signature."""
        return cls(PrincipalKind.ANONYMOUS, "anonymous")
