"""The managed permissions: what a share lets its principals do with a private CA (acm-pca.md 12.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from greatseal.domain.authorities.sharing_policy import ISSUE, READS, REVOKE
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidArn, NotFound
from greatseal.x509.templates import template_arn

VERSION = 1
"""Every managed permission has one version."""
PUBLISHED = datetime(2020, 8, 17, tzinfo=UTC)
"""Since when private CAs can be shared."""


@dataclass(frozen=True, slots=True)
class ManagedPermission:
    """The five reads, and issuance from one template or revocation."""

    name: str
    template: str | None
    """None for the permission to revoke."""
    is_default: bool = False

    def arn(self, partition: str) -> str:
        """`arn:aws:ram::aws:permission/NAME`."""
        return str(Arn(partition, "ram", "", "aws", f"permission/{self.name}"))

    def statements(self, partition: str) -> list[dict[str, object]]:
        """Effect, Action and Condition of the statements that it becomes."""
        if self.template is None:
            return [{"Effect": "Allow", "Action": [*READS, REVOKE]}]
        only = {"StringEquals": {"acm-pca:TemplateArn": template_arn(partition, self.template)}}
        return [
            {"Effect": "Allow", "Action": list(READS)},
            {"Effect": "Allow", "Action": [ISSUE], "Condition": only},
        ]


def _named(what: str, template: str | None) -> ManagedPermission:
    return ManagedPermission(f"AWSRAM{what}CertificateAuthority", template)


DEFAULT = ManagedPermission("AWSRAMDefaultPermissionCertificateAuthority", "EndEntityCertificate", is_default=True)

PERMISSIONS: Mapping[str, ManagedPermission] = {
    each.name: each
    for each in sorted(
        (
            DEFAULT,
            _named("BlankEndEntityCertificateAPICSRPassthroughIssuance", "BlankEndEntityCertificate_APICSRPassthrough"),
            _named("BlankEndEntityCertificateAPIPassthroughIssuance", "BlankEndEntityCertificate_APIPassthrough"),
            _named("EndEntityClientAuthCertificateIssuance", "EndEntityClientAuthCertificate"),
            _named("EndEntityServerAuthCertificateIssuance", "EndEntityServerAuthCertificate"),
            _named("RevokeCertificate", None),
            _named("SubordinateCACertificatePathLen0Issuance", "SubordinateCACertificate_PathLen0"),
        ),
        key=lambda each: each.name,
    )
}
"""By name, in the order of their names."""


def find_permission(arn_text: str, version: int | None = None) -> ManagedPermission:
    """The permission with this ARN. Raises InvalidArn, and NotFound for an unknown name or version."""
    try:
        arn = Arn.parse(arn_text)
    except ValueError:
        arn = None
    kind, _, name = arn.resource.partition("/") if arn else ("", "", "")
    if arn is None or arn.service != "ram" or kind != "permission" or not name:
        raise InvalidArn("The specified permission ARN is not valid. Verify the ARN and try again.")
    found = PERMISSIONS.get(name)
    if found is None or found.arn(arn.partition) != arn_text:
        raise NotFound(f"Permission {arn_text} could not be found.")
    if version not in (None, VERSION):
        raise NotFound(f"Version {version} of permission {arn_text} could not be found.")
    return found
