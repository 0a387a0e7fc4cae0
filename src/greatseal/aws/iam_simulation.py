"""IAM: simulations, and the condition keys that policies need."""

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.domain.access import IdentityKind
from greatseal.domain.access.identities import Category, Exclusion, Result, Scenario, Simulation
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidParameter
from greatseal.kernel.pages import Page

Parameters = dict[str, Any]
Answer = Mapping[str, Any] | None


class SimulationOperations:
    """Asks what policies would say."""

    def __init__(self, ask: Asking, simulation: Simulation) -> None:
        self._ask = ask
        self._simulation = simulation

    def simulate_custom_policy(self, caller: Caller, p: Parameters) -> Answer:
        """Policies that nobody carries yet."""
        self._ask.resource(caller, "*")
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        return _evaluations(self._simulation.of_policies(caller, _scenario(p), limit, p.get("Marker")))

    def simulate_principal_policy(self, caller: Caller, p: Parameters) -> Answer:
        """The policies of a user, a group or a role, and more if more are given."""
        source, limit = self._asked(caller, p), p.get("MaxItems", shapes.DEFAULT_PAGE)
        return _evaluations(self._simulation.of_principal(caller, source, _scenario(p), limit, p.get("Marker")))

    def get_context_keys_for_custom_policy(self, caller: Caller, p: Parameters) -> Answer:
        """The keys that the given policies name."""
        self._ask.resource(caller, "*")
        return {"ContextKeyNames": list(self._simulation.keys_of_policies(p["PolicyInputList"]))}

    def get_context_keys_for_principal_policy(self, caller: Caller, p: Parameters) -> Answer:
        """The keys that an identity's policies name, and the given ones."""
        source = self._asked(caller, p)
        keys = self._simulation.keys_of_principal(caller, source, p.get("PolicyInputList", ()))
        return {"ContextKeyNames": list(keys)}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "SimulateCustomPolicy": self.simulate_custom_policy,
            "SimulatePrincipalPolicy": self.simulate_principal_policy,
            "GetContextKeysForCustomPolicy": self.get_context_keys_for_custom_policy,
            "GetContextKeysForPrincipalPolicy": self.get_context_keys_for_principal_policy,
        }

    def _asked(self, caller: Caller, p: Parameters) -> str:
        source: str = p["PolicySourceArn"]
        self._ask.resource(caller, source)
        return source


def _evaluations(page: Page[Result]) -> Answer:
    return {"EvaluationResults": [shapes.evaluation(each) for each in page.items], **shapes.paged(page)}


def _scenario(p: Parameters) -> Scenario:
    if "ResourceHandlingOption" in p:
        raise InvalidParameter("ResourceHandlingOption is about EC2, which is not offered here.")
    return Scenario(
        actions=tuple(p["ActionNames"]),
        resources=tuple(p.get("ResourceArns") or ("*",)),
        policies=tuple(p.get("PolicyInputList", ())),
        boundaries=tuple(p.get("PermissionsBoundaryPolicyInputList", ())),
        service_control=tuple(
            tuple(level.get("ServiceControlPolicyInputList", ()))
            for level in p.get("OrderedOrganizationPolicyInputList", ())
        ),
        resource_policy=p.get("ResourcePolicy"),
        resource_owner=_account(p.get("ResourceOwner")),
        caller_arn=p.get("CallerArn"),
        context=_context(p.get("ContextEntries", ())),
        exclusions=tuple(_exclusion(each) for each in p.get("PolicyExclusionList", ())),
    )


def _account(owner: str | None) -> str | None:
    """The account in `arn:aws:iam::123456789012:root`, or the twelve digits themselves."""
    if owner is None or (owner.isdecimal() and len(owner) == 12):
        return owner
    try:
        return Arn.parse(owner).account
    except ValueError:
        raise InvalidParameter(f"ResourceOwner is not an account: {owner}") from None


def _exclusion(each: Mapping[str, Any]) -> Exclusion:
    if "PolicyType" in each:
        kind = each["PolicyType"]
        # There are no resource control policies here, so that none of them is left out.
        return Exclusion(category=None if kind == "rcp" else Category(kind), policy_name="")
    if "PolicyArn" in each:
        return Exclusion(arn=each["PolicyArn"])
    inline = each["InlinePolicyIdentifier"]
    kind = IdentityKind(inline["AttachmentType"])
    return Exclusion(policy_name=inline["PolicyName"], owner_kind=kind, owner_name=inline["AttachmentName"])


def _context(entries: Sequence[Mapping[str, Any]]) -> dict[str, str | tuple[str, ...]]:
    context: dict[str, str | tuple[str, ...]] = {}
    for entry in entries:
        name, kind = entry.get("ContextKeyName"), entry.get("ContextKeyType", "string")
        values = tuple(entry.get("ContextKeyValues", ()))
        if not name:
            raise InvalidParameter("A context entry needs a ContextKeyName.")
        is_list = kind.endswith("List")
        if not is_list and len(values) != 1:
            raise InvalidParameter(f"The context key {name} of type {kind} needs exactly one value.")
        check = _CHECKS[kind.removesuffix("List")]
        for value in values:
            try:
                check(value)
            except ValueError:
                raise InvalidParameter(f"The value {value} of the context key {name} is not {kind}.") from None
        context[name] = values if is_list else values[0]
    return context


def _boolean(value: str) -> None:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)


def _binary(value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(value) from error


def _date(value: str) -> None:
    """ISO 8601 or seconds since 1970 (iam.md 4)."""
    try:
        float(value)
    except ValueError:
        datetime.fromisoformat(value)


_CHECKS: Mapping[str, Callable[[str], object]] = {
    "string": str,
    "numeric": float,
    "boolean": _boolean,
    "ip": lambda value: ipaddress.ip_interface(value),
    "binary": _binary,
    "date": _date,
}
"""What raises ValueError for a value that is not of a type."""
