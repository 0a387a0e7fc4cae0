"""Which organization a caller speaks of, and whether its account may: a question that no policy answers.

The management account changes the organization; it and the delegated administrators read it; every member may know
where it belongs.
"""

from greatseal.domain.organizations.model import FeatureSet, Organization
from greatseal.domain.organizations.refusals import ConstraintViolated, NotInUse, NotPermitted
from greatseal.domain.organizations.store import organizations, services
from greatseal.kernel.caller import Caller
from greatseal.storage import Tx


def joined(tx: Tx, caller: Caller) -> Organization:
    """The caller's organization. Raises NotInUse."""
    found = organizations.of_account(tx, caller.account)
    if found is None:
        raise NotInUse
    return found


def managed(tx: Tx, caller: Caller) -> Organization:
    """The organization that the caller's account manages. Raises NotInUse and NotPermitted."""
    found = joined(tx, caller)
    if found.management_account != caller.account:
        raise NotPermitted
    return found


def readable(tx: Tx, caller: Caller) -> Organization:
    """The organization that the caller's account manages or helps to administrate. Raises NotInUse, NotPermitted."""
    found = joined(tx, caller)
    if found.management_account != caller.account and not services.is_delegate(tx, found.id, caller.account):
        raise NotPermitted
    return found


def all_features(organization: Organization) -> None:
    """Raises ConstraintViolated for an organization that is for billing only."""
    if organization.feature_set is not FeatureSet.ALL:
        raise ConstraintViolated(
            "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
            "This operation can be performed only in an organization with all features enabled.",
        )
