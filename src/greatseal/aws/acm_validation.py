"""The operations of ACM about the validation of domains, and its structures (acm.md 4.8 to 4.10, 5.2, 8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from greatseal.aws.door import OperationFunction
from greatseal.aws.wire import WireError
from greatseal.domain.access import Access, Question
from greatseal.domain.certificates.model import Type
from greatseal.domain.certificates.validations import Described, Options, Shown, Validations
from greatseal.domain.validation import AttemptState, Method
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument, InvalidToken, LimitExceeded, ValidationFailed
from greatseal.kernel.pages import PageTokens

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

DEFAULT_PAGE = 1000
_UPDATE_STATUS = {
    AttemptState.OPEN: "PENDING_DOMAIN_VALIDATION",
    AttemptState.VALID: "SUCCESS",
    AttemptState.FAILED: "FAILED",
    AttemptState.TIMED_OUT: "FAILED",
}


class DomainValidations:
    """Names the resource, asks, calls one verb."""

    def __init__(self, *, access: Access, validations: Validations, tokens: PageTokens) -> None:
        self._access = access
        self._validations = validations
        self._tokens = tokens

    def list_certificate_domain_validations(self, caller: Caller, p: Parameters) -> Result:
        """4.10"""
        arn = self._authorize(caller, p)
        entries = summaries(self._validations.describe(caller, arn))
        scope = (caller.account, caller.region, "ListCertificateDomainValidations", arn)
        start = 0
        if "NextToken" in p:
            try:
                start = int(self._tokens.open(scope, p["NextToken"])[0])
            except InvalidToken as refusal:
                # The operation declares no ValidationException.
                raise InvalidArgument(refusal.message) from None
        end = start + int(p.get("MaxItems", DEFAULT_PAGE))
        token = self._tokens.issue(scope, [end]) if end < len(entries) else None
        return {"DomainValidationSummaryList": entries[start:end], "NextToken": token}

    def resend_validation_email(self, caller: Caller, p: Parameters) -> Result:
        """4.8"""
        arn = self._authorize(caller, p)
        try:
            self._validations.resend(caller, arn, p["Domain"], p["ValidationDomain"])
        except LimitExceeded as refusal:
            # Too many mails in too short a time: the operation declares no quota of its own.
            raise WireError("ThrottlingException", refusal.message) from None
        return None

    def update_certificate_options(self, caller: Caller, p: Parameters) -> Result:
        """4.9"""
        arn = self._authorize(caller, p)
        options = p["Options"]
        self._validations.update(
            caller,
            arn,
            Options(
                method=options.get("ValidationMethod"),
                transparency_logging=options.get("CertificateTransparencyLoggingPreference"),
                export=options.get("Export"),
            ),
        )
        return None

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "ListCertificateDomainValidations": self.list_certificate_domain_validations,
            "ResendValidationEmail": self.resend_validation_email,
            "UpdateCertificateOptions": self.update_certificate_options,
        }

    def _authorize(self, caller: Caller, p: Parameters) -> str:
        arn: str = p["CertificateArn"]
        self._access.authorize(caller, Question(caller.operation, arn))
        return arn


def validation_domains(names: Sequence[str], options: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The validation domains of a request, by name. Raises ValidationFailed for a name that is there twice."""
    domains: dict[str, str] = {}
    for option in options:
        name = option["DomainName"].lower()
        if domains.setdefault(name, option["ValidationDomain"].lower()) != option["ValidationDomain"].lower():
            raise ValidationFailed(f"The domain name {name} has more than one validation domain.")
    return {name: domains[name] for name in names if name in domains}


def options(names: Sequence[Shown]) -> list[dict[str, Any]]:
    """DomainValidationOptions (5.2). Members that do not apply are None, which the codec leaves out."""
    return [
        {
            "DomainName": each.name,
            "ValidationDomain": each.domain,
            "ValidationStatus": each.state.value,
            "ValidationMethod": each.method.value,
            "ValidationEmails": list(each.mailboxes) if each.mailboxes is not None else None,
            "ResourceRecord": _record(each),
            "HttpRedirect": (
                {"RedirectFrom": each.redirect.source, "RedirectTo": each.redirect.target} if each.redirect else None
            ),
        }
        for each in names
    ]


def update_summary(described: Described) -> dict[str, Any] | None:
    """UpdateSummary (8.6)."""
    change = described.change
    if change is None:
        return None
    return {
        "Status": _UPDATE_STATUS[change.state],
        "Type": "DOMAIN_VALIDATION_METHOD",
        "DomainValidationMethodUpdateSummary": {"From": Method.EMAIL.value, "To": Method.DNS.value},
        "RequestedAt": change.requested_at,
        "UpdatedAt": change.updated_at,
    }


def summaries(described: Described) -> list[dict[str, Any]]:
    """DomainValidationSummaryList (4.10). Names that nobody had to validate have their name and no more."""
    item = described.item
    if item.type is not Type.AMAZON_ISSUED:
        return [{"DomainName": name} for name in item.names]
    change = described.change
    requested = {each.name: each for each in change.names} if change and change.state is AttemptState.OPEN else {}
    return [
        {
            "DomainName": each.name,
            "ActiveValidationConfiguration": _configuration(each),
            "RequestedValidationConfiguration": (
                _configuration(requested[each.name]) if each.name in requested else None
            ),
        }
        for each in described.names
    ]


def _configuration(shown: Shown) -> dict[str, Any]:
    challenge: dict[str, Any] | None = None
    if shown.record is not None:
        challenge = {"DnsValidationChallenge": {"ResourceRecord": _record(shown)}}
    elif shown.mailboxes is not None:
        emails = {"ValidationEmails": list(shown.mailboxes), "ValidationDomain": shown.domain}
        challenge = {"EmailValidationChallenge": emails}
    return {
        "ValidationMethod": shown.method.value,
        "ValidationStatus": shown.state.value,
        "ValidationChallenge": challenge,
    }


def _record(shown: Shown) -> dict[str, str] | None:
    if shown.record is None:
        return None
    return {"Name": shown.record.name, "Type": "CNAME", "Value": shown.record.value}
