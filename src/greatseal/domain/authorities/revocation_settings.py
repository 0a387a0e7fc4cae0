"""The revocation configuration of a CA and its rules (acm-pca.md 10.1), pure."""

import ipaddress
import re
from dataclasses import dataclass, field, replace
from enum import Enum

from greatseal.kernel.errors import InvalidArgument

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class CrlType(Enum):
    """One list of everything, or many lists with a part of the certificates each."""

    COMPLETE = "COMPLETE"
    PARTITIONED = "PARTITIONED"


class ObjectAcl(Enum):
    """Who may read the list in its bucket."""

    PUBLIC_READ = "PUBLIC_READ"
    BUCKET_OWNER_FULL_CONTROL = "BUCKET_OWNER_FULL_CONTROL"


@dataclass(frozen=True, slots=True)
class CrlSettings:
    """CrlConfiguration; None is a member that was not given."""

    enabled: bool = False
    expiration_days: int | None = None
    custom_cname: str | None = None
    bucket: str | None = None
    object_acl: ObjectAcl | None = None
    omit_extension: bool | None = None
    crl_type: CrlType | None = None
    custom_path: str | None = None

    @property
    def partitioned(self) -> bool:
        """Whether certificates issued from now on belong to a part of their own."""
        return self.crl_type is CrlType.PARTITIONED


@dataclass(frozen=True, slots=True)
class OcspSettings:
    """OcspConfiguration."""

    enabled: bool = False
    custom_cname: str | None = None


@dataclass(frozen=True, slots=True)
class RevocationSettings:
    """RevocationConfiguration of a CA; both halves are off unless they were asked for."""

    crl: CrlSettings = field(default_factory=CrlSettings)
    ocsp: OcspSettings = field(default_factory=OcspSettings)


@dataclass(frozen=True, slots=True)
class RevocationChange:
    """What a request says about it. A half that is given replaces the whole half, None leaves it (2.10)."""

    crl: CrlSettings | None = None
    ocsp: OcspSettings | None = None


def changed(current: RevocationSettings, change: RevocationChange) -> RevocationSettings:
    """The configuration after a change, with defaults filled in. Raises InvalidArgument for what breaks 10.1."""
    crl, ocsp = change.crl, change.ocsp
    if crl is not None:
        _check_crl(crl)
        if crl.enabled:
            crl = replace(crl, object_acl=crl.object_acl or ObjectAcl.PUBLIC_READ)
    if ocsp is not None:
        _check_ocsp(ocsp)
    return RevocationSettings(current.crl if crl is None else crl, current.ocsp if ocsp is None else ocsp)


def _check_crl(crl: CrlSettings) -> None:
    if not crl.enabled:
        if crl != CrlSettings():
            raise InvalidArgument("CrlConfiguration is not enabled, so no other member of it can be given.")
        return
    if crl.bucket is None or crl.expiration_days is None:
        missing = "S3BucketName" if crl.bucket is None else "ExpirationInDays"
        raise InvalidArgument(f"CrlConfiguration is enabled, so {missing} must be given.")
    _check_bucket(crl.bucket)
    _check_cname("CustomCname", crl.custom_cname)
    if crl.omit_extension and crl.custom_cname is not None:
        raise InvalidArgument("OmitExtension cannot be true when CustomCname is given.")
    if crl.custom_path is not None and any(part in (".", "..") for part in crl.custom_path.split("/")):
        # Clients resolve such steps before they ask, and would ask for another object.
        raise InvalidArgument("CustomPath cannot have the steps . and .. in it.")


def _check_ocsp(ocsp: OcspSettings) -> None:
    if not ocsp.enabled and ocsp.custom_cname is not None:
        raise InvalidArgument("OcspConfiguration is not enabled, so no other member of it can be given.")
    _check_cname("OcspCustomCname", ocsp.custom_cname)


def _check_cname(member: str, cname: str | None) -> None:
    if cname is not None and (_SCHEME.match(cname) or cname.startswith("/")):
        raise InvalidArgument(f"{member} must begin with a host name, not with a protocol prefix or a slash.")


def _check_bucket(bucket: str) -> None:
    """The naming rules of S3: 3 to 63 characters, lower case, no empty label, not an address."""
    if not _BUCKET.fullmatch(bucket) or ".." in bucket or _is_address(bucket):
        raise InvalidArgument(f"S3BucketName {bucket} does not follow the naming rules of buckets.")


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
