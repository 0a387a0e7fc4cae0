"""The policy that a share writes onto a resource (iam.md 12, step 4)."""

import json
from collections.abc import Iterator, Sequence

from greatseal.domain.sharing.model import Association, Share
from greatseal.domain.sharing.permissions import PERMISSIONS
from greatseal.domain.sharing.principals import parse
from greatseal.kernel.arn import Arn

Condition = dict[str, dict[str, str]]


def document(share: Share, resource_arn: str, principals: Sequence[Association]) -> str:
    """The share's part of the policy of one resource, as compact JSON; `principals` are those that are associated."""
    arn = Arn.parse(share.arn)
    sid = f"{arn.resource.rpartition('/')[2]}-external-principals"
    statements = [
        {
            "Sid": sid,
            "Effect": template["Effect"],
            "Principal": who,
            "Action": template["Action"],
            "Resource": resource_arn,
            **_joined(template.get("Condition", {}), condition),
        }
        for who, condition in _audiences(principals)
        for template in PERMISSIONS[share.permission].statements(arn.partition)
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _audiences(principals: Sequence[Association]) -> Iterator[tuple[object, Condition]]:
    """`Principal` elements and their conditions: names together by organization, organizations one by one.

    Who is let in as a member of the organization stays in only as long as both sides are members of it.
    """
    named: dict[str, list[str]] = {}
    for each in principals:
        if parse(each.entity).account:
            named.setdefault(each.organization, []).append(each.policy_name)
    for organization, names in sorted(named.items()):
        yield {"AWS": names[0] if len(names) == 1 else sorted(names)}, _within(organization)
    for each in principals:
        found = parse(each.entity)
        if found.unit:
            below = {"aws:PrincipalOrgPaths": f"{found.organization}/*/{found.unit}/*"}
            yield "*", {**_within(found.organization), "ForAnyValue:StringLike": below}
        elif found.organization:
            yield "*", _within(found.organization)


def _within(organization: str) -> Condition:
    if not organization:
        return {}
    return {"StringEquals": {"aws:PrincipalOrgID": organization, "aws:ResourceOrgID": organization}}


def _joined(template: object, audience: Condition) -> dict[str, Condition]:
    assert isinstance(template, dict)
    operators = sorted({*template, *audience})
    joined = {name: {**audience.get(name, {}), **template.get(name, {})} for name in operators}
    return {"Condition": joined} if joined else {}
