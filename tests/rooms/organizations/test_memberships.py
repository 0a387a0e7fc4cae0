"""What the access room is told about an account (iam.md 2, 5)."""

from doors.member_accounts import FULL, MANAGEMENT, SCP, Org
from doors.organization import deny, document
from greatseal.domain.access import Membership
from greatseal.domain.organizations import Memberships
from greatseal.domain.organizations.model import FULL_ACCESS, arn_of, is_service, path_of


def membership(org: Org, account: str) -> Membership | None:
    return org.rooms.storage.read(lambda tx: Memberships().membership(tx, account))


def test_levels_from_the_root_down_to_the_account(storage):
    org = Org(storage)
    outer = org.unit("outer")
    inner = org.unit("inner", parent=outer)
    member = org.member(parent=inner)
    policy = org.policy(deny("acm:*"), target=outer)
    full = (FULL, FULL_ACCESS.content)
    path = path_of(org.id, (org.root, outer, inner))
    assert path == f"{org.id}/{org.root}/{outer}/{inner}/"
    levels = ((full,), tuple(sorted((full, (policy, document(deny("acm:*")))))), (full,), (full,))
    assert membership(org, member) == Membership(org.id, path, False, levels)
    # The management account is in the tree, but out of reach.
    org.client.move_account(AccountId=MANAGEMENT, SourceParentId=org.root, DestinationParentId=outer)
    assert membership(org, MANAGEMENT) == Membership(org.id, f"{org.id}/{org.root}/{outer}/", True)
    org.client.disable_policy_type(RootId=org.root, PolicyType=SCP)
    assert membership(org, member) == Membership(org.id, path, False)
    assert membership(org, org.stranger()) is None


def test_a_closed_account_has_a_level_of_its_own(storage):
    org = Org(storage, control=False)
    member = org.member()
    org.client.close_account(AccountId=member)
    found = membership(org, member)
    assert found is not None
    assert [[name for name, _ in level] for level in found.service_control] == [["closed account"]]


def test_arns_by_the_form_of_the_id():
    def arn(thing: str = "") -> str:
        return arn_of("aws", "1", "o-x", thing).removeprefix("arn:aws:organizations::")

    assert arn() == "1:organization/o-x"
    assert arn("r-abcd") == "1:root/o-x/r-abcd"
    assert arn("ou-abcd-1") == "1:ou/o-x/ou-abcd-1"
    assert arn("111122223333") == "1:account/o-x/111122223333"
    assert arn("p-1") == "1:policy/o-x/service_control_policy/p-1"
    assert arn(FULL) == f"aws:policy/service_control_policy/{FULL}"
    assert arn("h-1") == "1:handshake/o-x/invite/h-1"


def test_names_of_services():
    assert is_service("ram.amazonaws.com")
    assert is_service("config-multiaccountsetup.amazonaws.com")
    assert not any(
        is_service(name) for name in ("ram", "RAM.amazonaws.com", ".amazonaws.com", "ram.amazonaws.com.evil")
    )
