"""With whom a resource is shared: accounts, organizations, organizational units, users and roles."""

import re
from dataclasses import dataclass

from greatseal.domain.access import Membership
from greatseal.kernel.errors import InvalidParameter

_ACCOUNT = re.compile(r"[0-9]{12}")
_ORGANIZATION = re.compile(r"arn:[a-z-]+:organizations::[0-9]{12}:organization/(o-[a-z0-9]{10,32})")
_UNIT = re.compile(r"arn:[a-z-]+:organizations::[0-9]{12}:ou/(o-[a-z0-9]{10,32})/(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})")
_IDENTITY = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):(?:role|user)/[^*?\s]+")


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal of a share, taken apart. Either `account` or `organization` is set."""

    text: str
    account: str = ""
    """Of an account, a user or a role."""
    organization: str = ""
    """Of an organization or an organizational unit."""
    unit: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether it is one user or role."""
        return bool(self.account) and self.text != self.account

    @property
    def grantee(self) -> str:
        """What receivers find the share by, see `grantees`."""
        return self.account or self.unit or self.organization


def parse(text: str) -> Principal:
    """Raises InvalidParameter for a text that names nobody. Service principals cannot be named."""
    if _ACCOUNT.fullmatch(text):
        return Principal(text, account=text)
    if found := _IDENTITY.fullmatch(text):
        return Principal(text, account=found[1])
    if found := _ORGANIZATION.fullmatch(text):
        return Principal(text, organization=found[1])
    if found := _UNIT.fullmatch(text):
        return Principal(text, organization=found[1], unit=found[2])
    raise InvalidParameter(f"Principal ID {text} is malformed. Verify the ID and try again.")


def grantees(account: str, membership: Membership | None) -> tuple[str, ...]:
    """Everything by which an account is found: itself, its organization, and the units above it."""
    if membership is None:
        return (account,)
    units = [part for part in membership.path.split("/") if part.startswith("ou-")]
    return (account, membership.organization_id, *units)
