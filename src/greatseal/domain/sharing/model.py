"""What a resource share is: its values, its states, and how it is refused (acm-pca.md 12.4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import (
    AlreadyProcessed,
    InvalidArn,
    InvalidParameter,
    InvalidRequest,
    InvalidState,
    NotFound,
)

RESOURCE_TYPE = "acm-pca:CertificateAuthority"
INVITATION_LIFE = timedelta(hours=12)
SHOWN_AFTER_END = timedelta(hours=2)
"""How long deleted shares and ended associations are still shown."""
INVITATIONS_KEPT = timedelta(days=30)
"""How long invitations are shown, answered or not."""
MAX_SHARES = 5000


class InvitationNotFound(NotFound):
    """There is no such invitation for this account."""


class InvitationAlreadyAccepted(AlreadyProcessed):
    """The invitation was accepted before."""


class InvitationAlreadyRejected(AlreadyProcessed):
    """The invitation was rejected before."""


class InvitationExpired(InvalidState):
    """Nobody answered the invitation in time."""


class InvalidClientToken(InvalidParameter):
    """A client token that cannot be one."""


class InvalidResourceType(InvalidParameter):
    """A type of resource that cannot be shared."""


class MissingParameter(InvalidParameter):
    """A request that asks for nothing."""


class ResourceArnNotFound(NotFound):
    """A resource that does not exist for its supposed owner."""


class ShareStatus(Enum):
    """Every change is done at once, so that the states in between never show."""

    ACTIVE = "ACTIVE"
    DELETED = "DELETED"


class FeatureSet(Enum):
    """Where a share comes from."""

    STANDARD = "STANDARD"
    CREATED_FROM_POLICY = "CREATED_FROM_POLICY"
    """Stands for a policy that the owner wrote with PutPolicy; only PutPolicy and DeletePolicy change it."""


class AssociationType(Enum):
    """What is tied to a share."""

    PRINCIPAL = "PRINCIPAL"
    RESOURCE = "RESOURCE"


class AssociationStatus(Enum):
    """ASSOCIATING waits for the answer to an invitation; FAILED got none, or a no."""

    ASSOCIATING = "ASSOCIATING"
    ASSOCIATED = "ASSOCIATED"
    FAILED = "FAILED"
    DISASSOCIATED = "DISASSOCIATED"


class InvitationStatus(Enum):
    """EXPIRED is never stored: it follows from the time."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Share:
    """A resource share: what, with whom, and with which permission."""

    arn: str
    account: str
    region: str
    name: str
    allow_external: bool
    created_at: datetime
    updated_at: datetime
    permission: str = ""
    """The name of the managed permission; empty when none is attached."""
    status: ShareStatus = ShareStatus.ACTIVE
    feature_set: FeatureSet = FeatureSet.STANDARD


@dataclass(frozen=True, slots=True)
class Association:
    """A resource or a principal of a share. `status` is the stored one; readers want `status_at`."""

    share_arn: str
    type: AssociationType
    entity: str
    """The ARN of a resource; of a principal the text that the owner gave."""
    status: AssociationStatus
    created_at: datetime
    updated_at: datetime
    grantee: str = ""
    """Of principals: the account, organization or organizational unit by which receivers find the share."""
    policy_name: str = ""
    """Of principals: how policies name it. Users and roles are named by their ids, which never come back."""
    external: bool = False
    organization: str = ""
    """Set when both sides must be in this organization."""
    expires_at: datetime | None = None
    """When the invitation lapses."""
    share_name: str = ""

    def status_at(self, now: datetime) -> AssociationStatus:
        """The state that callers see: FAILED once the invitation has lapsed."""
        lapsed = self.expires_at is not None and now >= self.expires_at
        if self.status is AssociationStatus.ASSOCIATING and lapsed:
            return AssociationStatus.FAILED
        return self.status


@dataclass(frozen=True, slots=True)
class Invitation:
    """The question to an account outside of the organization. `status` is the stored one; see `status_at`."""

    arn: str
    share_arn: str
    share_name: str
    region: str
    sender: str
    receiver: str
    receiver_arn: str
    """The user or role that the share is meant for; otherwise empty."""
    status: InvitationStatus
    at: datetime

    @property
    def expires_at(self) -> datetime:
        """From when on it cannot be answered."""
        return self.at + INVITATION_LIFE

    @property
    def principal(self) -> str:
        """The principal of the share that waits for the answer."""
        return self.receiver_arn or self.receiver

    def status_at(self, now: datetime) -> InvitationStatus:
        """The state that callers see."""
        lapsed = self.status is InvitationStatus.PENDING and now >= self.expires_at
        return InvitationStatus.EXPIRED if lapsed else self.status


@dataclass(frozen=True, slots=True)
class ShareFilter:
    """What a listing of shares asks for; None asks for nothing."""

    name: str | None = None
    status: ShareStatus | None = None
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class AssociationFilter:
    """What a listing of associations asks for; None asks for nothing."""

    shares: tuple[str, ...] | None = None
    entities: tuple[str, ...] | None = None
    status: AssociationStatus | None = None


def require_pending(invitation: Invitation, now: datetime) -> None:
    """Raises unless the invitation can still be answered."""
    match invitation.status_at(now):
        case InvitationStatus.ACCEPTED:
            raise InvitationAlreadyAccepted(f"ResourceShareInvitation {invitation.arn} was already accepted.")
        case InvitationStatus.REJECTED:
            raise InvitationAlreadyRejected(f"ResourceShareInvitation {invitation.arn} was already rejected.")
        case InvitationStatus.EXPIRED:
            raise InvitationExpired(f"ResourceShareInvitation {invitation.arn} has expired.")
        case _:
            return


def require_standard(share: Share) -> None:
    """Raises InvalidRequest for a share that stands for a policy of the owner's."""
    if share.feature_set is not FeatureSet.STANDARD:
        raise InvalidRequest(
            f"Resource share {share.arn} was created from a resource-based policy and cannot be modified."
        )


def check_share_arn(text: str) -> Arn:
    """The ARN of a share. Raises InvalidArn for anything else."""
    return _of_ram(text, "resource-share", "resource share")


def check_invitation_arn(text: str) -> Arn:
    """The ARN of an invitation. Raises InvalidArn for anything else."""
    return _of_ram(text, "resource-share-invitation", "resource share invitation")


def _of_ram(text: str, kind: str, called: str) -> Arn:
    try:
        arn = Arn.parse(text)
    except ValueError:
        arn = None
    found, _, rest = arn.resource.partition("/") if arn else ("", "", "")
    if arn is None or arn.service != "ram" or found != kind or not rest:
        raise InvalidArn(f"The specified {called} ARN is not valid. Verify the ARN and try again.")
    return arn


def check_resource(caller: Caller, text: str) -> None:
    """Raises unless this is the ARN of a private CA of the caller's own account and region.

    InvalidArn for what is no ARN or cannot be shared, NotFound for what is somebody else's or elsewhere.
    """
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise InvalidArn(f"The specified resource ARN {text} is not valid. Verify the ARN and try again.") from None
    if arn.service != "acm-pca" or not arn.resource.startswith("certificate-authority/"):
        raise InvalidArn("You cannot share the selected resource type.")
    if (arn.partition, arn.account, arn.region) != (caller.partition, caller.account, caller.region):
        raise NotFound(f"Resource {text} could not be found.")


def share_not_found(arn: str) -> NotFound:
    """The refusal for a share that is not there."""
    return NotFound(f"ResourceShare {arn} could not be found.")
