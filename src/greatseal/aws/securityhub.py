"""Security Hub: findings in and out, one function an operation (workflows.md 5)."""

import json
from collections.abc import Mapping
from typing import Any

from greatseal.aws.door import OperationFunction
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.access import Access, Question
from greatseal.domain.findings import Findings, Hubs
from greatseal.domain.findings.model import written
from greatseal.domain.findings.service import NOT_FOUND
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

MAX_BATCH = 100
_SETTINGS = {"AutoEnableControls": "auto_enable_controls", "ControlFindingGenerator": "control_finding_generator"}
_CHANGES = (
    "Note",
    "Severity",
    "VerificationState",
    "Confidence",
    "Criticality",
    "Types",
    "UserDefinedFields",
    "Workflow",
    "RelatedFindings",
)


class SecurityHub:
    """The operations of Security Hub. Each names action, resource and condition keys before it acts."""

    def __init__(self, *, access: Access, findings: Findings, hubs: Hubs) -> None:
        self._access = access
        self._findings = findings
        self._hubs = hubs

    def batch_import_findings(self, caller: Caller, p: Parameters) -> Result:
        """BatchImportFindings"""
        context = {"securityhub:TargetAccount": tuple({each["AwsAccountId"] for each in p["Findings"]})}
        products = dict.fromkeys(_product(caller, each["ProductArn"]) for each in p["Findings"])
        self._access.authorize(caller, *(Question(caller.operation, arn, context) for arn in products))
        taken, failures = self._findings.import_(caller, p["Findings"])
        return {
            "SuccessCount": taken,
            "FailedCount": len(failures),
            "FailedFindings": [
                {"Id": each.id, "ErrorCode": each.code, "ErrorMessage": each.message} for each in failures
            ],
        }

    def get_findings(self, caller: Caller, p: Parameters) -> Result:
        """GetFindings"""
        self._authorize(caller)
        filters, criteria = p.get("Filters", {}), p.get("SortCriteria", [])
        for each in criteria:
            if "Field" not in each:
                raise InvalidArgument("Invalid parameter 'SortCriteria'. Field is missing.")
        page = self._findings.find(
            caller,
            filters,
            criteria,
            scope=json.dumps([filters, criteria], sort_keys=True),
            limit=p.get("MaxResults"),
            token=p.get("NextToken"),
        )
        return {"Findings": list(page.items), "NextToken": page.next_token}

    def update_findings(self, caller: Caller, p: Parameters) -> Result:
        """UpdateFindings, which BatchUpdateFindings has replaced"""
        self._authorize(caller)
        change: Parameters = {name: p[name] for name in ("Note", "RecordState") if name in p}
        if not change:
            raise InvalidArgument("Invalid parameter. Note or RecordState must be given.")
        self._findings.change_all(caller, p["Filters"], change)
        return {}

    def batch_update_findings(self, caller: Caller, p: Parameters) -> Result:
        """BatchUpdateFindings"""
        change = {name: p[name] for name in _CHANGES if name in p}
        self._access.authorize(caller, Question(caller.operation, self._hubs.arn(caller), _syntax_paths(change)))
        identifiers = [(each["ProductArn"], each["Id"]) for each in p["FindingIdentifiers"]]
        if not 1 <= len(identifiers) <= MAX_BATCH:
            raise InvalidArgument(f"Invalid parameter 'FindingIdentifiers'. 1 to {MAX_BATCH} findings can be updated.")
        if not change:
            raise InvalidArgument("Invalid parameter. At least one member to update must be given.")
        done, missing = self._findings.change(caller, list(dict.fromkeys(identifiers)), change)
        return {
            "ProcessedFindings": [_identifier(each) for each in done],
            "UnprocessedFindings": [
                {"FindingIdentifier": _identifier(each), "ErrorCode": NOT_FOUND, "ErrorMessage": "Finding Not Found"}
                for each in missing
            ],
        }

    def enable_security_hub(self, caller: Caller, p: Parameters) -> Result:
        """EnableSecurityHub"""
        tags = _tags(p.get("Tags", {}))
        questions = [Question(caller.operation, self._hubs.arn(caller), tag_conditions(tags))]
        if tags:
            questions.append(Question("securityhub:TagResource", self._hubs.arn(caller), tag_conditions(tags)))
        self._access.authorize(caller, *questions)
        self._hubs.enable(caller, generator=p.get("ControlFindingGenerator"), tags=tags)
        return {}

    def describe_hub(self, caller: Caller, p: Parameters) -> Result:
        """DescribeHub"""
        self._authorize(caller)
        hub = self._hubs.describe(caller, p.get("HubArn"))
        return {
            "HubArn": self._hubs.arn(caller),
            "SubscribedAt": None if hub.changed_at is None else written(hub.changed_at),
            "AutoEnableControls": hub.auto_enable_controls,
            "ControlFindingGenerator": hub.control_finding_generator,
        }

    def update_security_hub_configuration(self, caller: Caller, p: Parameters) -> Result:
        """UpdateSecurityHubConfiguration"""
        self._authorize(caller)
        self._hubs.configure(caller, {_SETTINGS[name]: value for name, value in p.items() if name in _SETTINGS})
        return {}

    def disable_security_hub(self, caller: Caller, p: Parameters) -> Result:
        """DisableSecurityHub"""
        self._authorize(caller)
        self._hubs.disable(caller)
        return {}

    def get_enabled_standards(self, caller: Caller, p: Parameters) -> Result:
        """GetEnabledStandards: there are none, because nothing here is measured against one"""
        self._authorize(caller)
        self._hubs.describe(caller, None)
        return {"StandardsSubscriptions": []}

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """TagResource"""
        tags = _tags(p["Tags"])
        self._access.authorize(caller, Question(caller.operation, p["ResourceArn"], tag_conditions(tags)))
        self._hubs.tag(caller, p["ResourceArn"], tags)
        return {}

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """UntagResource"""
        keys = tuple(p["TagKeys"])
        self._access.authorize(caller, Question(caller.operation, p["ResourceArn"], {"aws:TagKeys": keys}))
        self._hubs.untag(caller, p["ResourceArn"], keys)
        return {}

    def list_tags_for_resource(self, caller: Caller, p: Parameters) -> Result:
        """ListTagsForResource"""
        self._access.authorize(caller, Question(caller.operation, p["ResourceArn"]))
        tags = self._hubs.tags_of(caller, p["ResourceArn"])
        return {"Tags": {tag.key: tag.value or "" for tag in tags}}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "BatchImportFindings": self.batch_import_findings,
            "GetFindings": self.get_findings,
            "UpdateFindings": self.update_findings,
            "BatchUpdateFindings": self.batch_update_findings,
            "EnableSecurityHub": self.enable_security_hub,
            "DescribeHub": self.describe_hub,
            "UpdateSecurityHubConfiguration": self.update_security_hub_configuration,
            "DisableSecurityHub": self.disable_security_hub,
            "GetEnabledStandards": self.get_enabled_standards,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    def _authorize(self, caller: Caller) -> None:
        self._access.authorize(caller, Question(caller.operation, self._hubs.arn(caller)))


def _product(caller: Caller, arn: str) -> str:
    """The product that the caller must be allowed to import for; what is no product of theirs fails by itself."""
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        parsed = None
    if parsed is None or parsed.service != "securityhub" or parsed.account not in ("", caller.account):
        return str(caller.arn("securityhub", f"product/{caller.account}/default"))
    return arn


def _tags(given: Mapping[str, str]) -> tuple[Tag, ...]:
    return tuple(Tag(key, value) for key, value in given.items())


def _identifier(pair: tuple[str, str]) -> dict[str, str]:
    return {"ProductArn": pair[0], "Id": pair[1]}


def _syntax_paths(change: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """`securityhub:ASFFSyntaxPath/<path>`: policies forbid, for instance, `Workflow.Status` = SUPPRESSED."""
    found: dict[str, str | tuple[str, ...]] = {}
    for name, value in change.items():
        for path, each in (
            ((f"{name}.{k}", v) for k, v in value.items()) if isinstance(value, dict) else ((name, value),)
        ):
            found[f"securityhub:ASFFSyntaxPath/{path}"] = str(each)
    return found
