"""The pure parts of sharing: states by the time of asking, principals, and the policy of a mixed share."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.domain.access import Membership
from greatseal.domain.sharing.model import (
    Association,
    AssociationStatus,
    AssociationType,
    Invitation,
    InvitationStatus,
    Share,
)
from greatseal.domain.sharing.permissions import DEFAULT, PERMISSIONS, find_permission
from greatseal.domain.sharing.principals import grantees, parse
from greatseal.domain.sharing.statements import document
from greatseal.kernel.errors import InvalidParameter

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORGANIZATION = "o-example1234"
SHARE = Share(
    arn="arn:aws:ram:us-east-1:111122223333:resource-share/00000000-0000-4000-8000-000000000001",
    account="111122223333",
    region="us-east-1",
    name="Shared",
    allow_external=True,
    created_at=NOW,
    updated_at=NOW,
    permission=DEFAULT.name,
)
CA = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/00000000-0000-4000-8000-000000000002"


def party(entity, *, organization="", policy_name=""):
    """A principal that is associated."""
    who = parse(entity)
    return Association(
        share_arn=SHARE.arn,
        type=AssociationType.PRINCIPAL,
        entity=entity,
        status=AssociationStatus.ASSOCIATED,
        created_at=NOW,
        updated_at=NOW,
        grantee=who.grantee,
        policy_name=policy_name or who.account,
        organization=organization,
    )


def test_what_lapses():
    waiting = replace(party("444455556666"), status=AssociationStatus.ASSOCIATING, expires_at=NOW + timedelta(hours=12))
    invitation = Invitation("arn", SHARE.arn, "Shared", "us-east-1", "1", "2", "", InvitationStatus.PENDING, NOW)
    for at, association, answer in (
        (NOW + timedelta(hours=12, microseconds=-1), AssociationStatus.ASSOCIATING, InvitationStatus.PENDING),
        (NOW + timedelta(hours=12), AssociationStatus.FAILED, InvitationStatus.EXPIRED),
    ):
        assert waiting.status_at(at) is association
        assert invitation.status_at(at) is answer
    accepted = replace(invitation, status=InvitationStatus.ACCEPTED)
    assert accepted.status_at(NOW + timedelta(days=1)) is InvitationStatus.ACCEPTED


def test_by_what_an_account_is_found():
    assert grantees("444455556666", None) == ("444455556666",)
    path = f"{ORGANIZATION}/r-abcd/ou-abcd-11111111/ou-abcd-22222222/"
    assert grantees("444455556666", Membership(ORGANIZATION, path, management_account=False)) == (
        "444455556666",
        ORGANIZATION,
        "ou-abcd-11111111",
        "ou-abcd-22222222",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "44445555666",
        "*",
        "ou-abcd-11111111",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::444455556666:role/*",
        "arn:aws:sts::444455556666:assumed-role/a/b",
        "arn:aws:organizations::111122223333:account/o-example1234/444455556666",
        "pca-connector-ad.amazonaws.com",
    ],
)
def test_texts_that_name_nobody(text):
    with pytest.raises(InvalidParameter):
        parse(text)


def test_the_policy_of_a_mixed_share():
    inside = {"aws:PrincipalOrgID": ORGANIZATION, "aws:ResourceOrgID": ORGANIZATION}
    text = document(
        SHARE,
        CA,
        [
            party("777788889999"),
            party("444455556666"),
            party("arn:aws:iam::444455556666:role/signer", policy_name="AROAEXAMPLEEXAMPLE123"),
            party("555566667777", organization=ORGANIZATION),
            party(f"arn:aws:organizations::111122223333:organization/{ORGANIZATION}", organization=ORGANIZATION),
            party(f"arn:aws:organizations::111122223333:ou/{ORGANIZATION}/ou-abcd-11111111", organization=ORGANIZATION),
        ],
    )
    statements = json.loads(text)["Statement"]
    assert [each["Principal"] for each in statements[::2]] == [
        {"AWS": ["444455556666", "777788889999", "AROAEXAMPLEEXAMPLE123"]},
        {"AWS": "555566667777"},
        "*",
        "*",
    ]
    below = {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*/ou-abcd-11111111/*"}
    assert [each.get("Condition") for each in statements[::2]] == [
        None,
        {"StringEquals": inside},
        {"StringEquals": inside},
        {"ForAnyValue:StringLike": below, "StringEquals": inside},
    ]
    templates = [each["Condition"]["StringEquals"]["acm-pca:TemplateArn"] for each in statements[1::2]]
    assert templates == ["arn:aws:acm-pca:::template/EndEntityCertificate/V1"] * 4


def test_every_managed_permission_names_a_template_that_exists():
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        for each in PERMISSIONS.values():
            assert find_permission(each.arn(partition)) is each
            assert each.statements(partition)
