"""The refusals of organizations: each noun has its own, because clients tell them apart by name."""

from typing import ClassVar

from greatseal.kernel.errors import (
    AccessDenied,
    AlreadyExists,
    AlreadyProcessed,
    InvalidArgument,
    InvalidState,
    NotFound,
    Refusal,
    ResourceInUse,
)


class _Said(Refusal):
    """A refusal that has but one thing to say."""

    sentence: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.sentence)


class WithReason(Refusal):
    """A refusal with several causes; `reason` is the word by which programs tell them apart."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConstraintViolated(WithReason, InvalidState):
    """A limit of the organization, or its state, forbids the action."""


class HandshakeConstraint(WithReason, InvalidState):
    """An invitation that cannot be made or accepted."""


class InvalidInput(WithReason, InvalidArgument):
    """A value that does not fit here."""


class NotPermitted(_Said, AccessDenied):
    """The account's place in the organization does not give it this right."""

    sentence = "You don't have permissions to access this resource."


class NotInUse(_Said, NotFound):
    """The caller's account is in no organization."""

    sentence = "Your account is not a member of an organization."


class AlreadyInOrganization(_Said, AlreadyExists):
    """An account is in one organization at most."""

    sentence = "The AWS account is already a member of an organization."


class OrganizationNotEmpty(_Said, ResourceInUse):
    """There are accounts besides the management account."""

    sentence = (
        "The organization isn't empty. To delete an organization, you must first remove all accounts except the "
        "management account."
    )


class RootNotFound(_Said, NotFound):
    """No such root."""

    sentence = "You specified a root that doesn't exist."


class UnitNotFound(_Said, NotFound):
    """No such organizational unit."""

    sentence = "You specified an organizational unit that doesn't exist."


class ParentNotFound(_Said, NotFound):
    """No such root or unit."""

    sentence = "You specified a parent that doesn't exist."


class SourceParentNotFound(_Said, NotFound):
    """No such root or unit to move from."""

    sentence = "You specified a source parent that doesn't exist."


class DestinationParentNotFound(_Said, NotFound):
    """No such root or unit to move to."""

    sentence = "You specified a destination parent that doesn't exist."


class ChildNotFound(_Said, NotFound):
    """No such unit or account."""

    sentence = "You specified a child that doesn't exist."


class AccountNotFound(_Said, NotFound):
    """No such account in the organization."""

    sentence = "You specified an account that doesn't exist."


class TargetNotFound(_Said, NotFound):
    """No such root, unit, account or policy."""

    sentence = "You specified a target that doesn't exist."


class PolicyNotFound(_Said, NotFound):
    """No such policy."""

    sentence = "You specified a policy that doesn't exist."


class EffectivePolicyNotFound(_Said, NotFound):
    """No policy of this type has an effect."""

    sentence = "There is no effective policy of this type: the policy type is not enabled in the organization."


class CreationNotFound(_Said, NotFound):
    """No such request for an account."""

    sentence = "You specified a create account request that doesn't exist."


class HandshakeNotFound(_Said, NotFound):
    """No such handshake, or one between others."""

    sentence = "You specified a handshake that doesn't exist."


class DuplicateUnit(_Said, AlreadyExists):
    """The parent has a unit of this name."""

    sentence = "An OU with the same name already exists."


class UnitNotEmpty(_Said, ResourceInUse):
    """The unit still holds units or accounts."""

    sentence = "The specified organizational unit (OU) is not empty. Move all accounts and remove all child OUs first."


class DuplicateAccount(_Said, AlreadyExists):
    """The account is there already."""

    sentence = "The specified account is already present in the specified destination."


class AccountClosed(_Said, InvalidState):
    """The account was closed before."""

    sentence = "The provided account is already closed."


class ManagementCannotLeave(_Said, InvalidState):
    """The management account stays as long as the organization does."""

    sentence = "You can't remove the management account from an organization."


class DuplicateHandshake(_Said, AlreadyExists):
    """The account has an open invitation from this organization."""

    sentence = "A handshake with the same action and target already exists."


class HandshakeAlreadyInState(_Said, AlreadyProcessed):
    """The handshake is what it would become."""

    sentence = "The specified handshake is already in the requested state."


class InvalidHandshakeTransition(_Said, InvalidState):
    """The handshake has come to another end."""

    sentence = "You can't perform the operation on the handshake in its current state."


class DuplicatePolicy(_Said, AlreadyExists):
    """The organization has a policy of this name."""

    sentence = "A policy with the same name already exists."


class PolicyInUse(_Said, ResourceInUse):
    """The policy is attached somewhere."""

    sentence = (
        "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before "
        "performing this operation."
    )


class DuplicateAttachment(_Said, AlreadyProcessed):
    """The policy is attached there already."""

    sentence = "The selected policy is already attached to the specified target."


class PolicyNotAttached(_Said, NotFound):
    """The policy is not attached there."""

    sentence = "The policy isn't attached to the specified target in the specified root."


class PolicyTypeAlreadyEnabled(_Said, AlreadyProcessed):
    """The policy type was enabled before."""

    sentence = "The specified policy type is already enabled."


class PolicyTypeNotEnabled(_Said, InvalidState):
    """The policy type must be enabled in the root first."""

    sentence = "This operation can be performed only for enabled policy types."


class PolicyTypeNotAvailable(_Said, InvalidState):
    """The organization cannot have policies of this type."""

    sentence = "You can't use the specified policy type with the feature set currently enabled for this organization."


class AlreadyRegistered(_Said, AlreadyExists):
    """The account administrates this service already."""

    sentence = "The provided account is already a delegated administrator for your organization."


class NotRegistered(_Said, NotFound):
    """The account does not administrate this service."""

    sentence = "The provided account is not a registered delegated administrator for your organization."
