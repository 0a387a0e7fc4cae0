"""STS: one function an operation, from wire parameters to a verb of the access room (iam.md 9)."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws.door import OperationFunction
from greatseal.aws.errors import code_for, trail_code
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.domain.access import Access, Assumed, Assuming, Assumption, SessionLimits
from greatseal.domain.audit import Audit
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied, InvalidParameter, InvalidRequest, Refusal

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class SecurityTokens:
    """The operations of STS."""

    def __init__(self, *, access: Access, assuming: Assuming, audit: Audit) -> None:
        self._access = access
        self._assuming = assuming
        self._audit = audit

    def get_caller_identity(self, caller: Caller, p: Parameters) -> Result:
        """No permission is needed, and no denial forbids it."""
        return {"UserId": caller.principal_id, "Account": caller.account, "Arn": caller.principal_arn}

    def assume_role(self, caller: Caller, p: Parameters) -> Result:
        """A session of a role, for a caller whom the role's trust policy lets in."""
        _no_second_factor(p)
        if p.get("ProvidedContexts"):
            raise InvalidParameter("ProvidedContexts are not supported.")
        made = self._assuming.assume_role(caller, _assumption(p))
        return {**_role_session(made), "SourceIdentity": made.session.source_identity or None}

    def assume_role_with_web_identity(self, caller: Caller, p: Parameters) -> Result:
        """A session of a role, for the bearer of an OpenID Connect token."""
        if "ProviderId" in p:
            raise InvalidParameter(
                "OAuth 2.0 access tokens are not supported; leave ProviderId out for OpenID Connect."
            )
        bearer = self._assuming.identify(caller, p["RoleArn"], p["WebIdentityToken"])
        try:
            made = self._assuming.assume_role_with_web_identity(bearer, _assumption(p))
        except Refusal as refusal:
            # Nobody signed, so that the door does not know whose trail this belongs in. Who has no good token is in
            # none: a stranger could fill it.
            code = trail_code(code_for("sts", type(refusal)))
            self._audit.record_call(bearer.caller, p["RoleArn"], error_code=code, error_message=refusal.message)
            raise
        assert made.web_identity is not None
        return {
            **_role_session(made),
            "SubjectFromWebIdentityToken": made.web_identity.subject,
            "Provider": made.web_identity.provider_arn,
            "Audience": made.web_identity.audience,
        }

    def get_session_token(self, caller: Caller, p: Parameters) -> Result:
        """A session of the caller itself."""
        _no_second_factor(p)
        return {"Credentials": _credentials(self._assuming.session_token(caller, p.get("DurationSeconds")))}

    def get_federation_token(self, caller: Caller, p: Parameters) -> Result:
        """A session of a federated user, within the caller's own permissions."""
        made = self._assuming.federation_token(caller, p["Name"], p.get("DurationSeconds"), _limits(p))
        return {
            "Credentials": _credentials(made),
            "FederatedUser": {
                "FederatedUserId": made.credential.principal_id,
                "Arn": made.credential.principal_arn,
            },
            "PackedPolicySize": made.packed_size or 0,
        }

    def get_access_key_info(self, caller: Caller, p: Parameters) -> Result:
        """The account of a long-term key; nothing but its owner knows of a temporary one."""
        account = self._access.account_of_key(p["AccessKeyId"])
        if account is None:
            raise InvalidRequest("The access key ID does not belong to an account of this installation.")
        return {"Account": account}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "GetCallerIdentity": self.get_caller_identity,
            "AssumeRole": self.assume_role,
            "AssumeRoleWithWebIdentity": self.assume_role_with_web_identity,
            "GetSessionToken": self.get_session_token,
            "GetFederationToken": self.get_federation_token,
            "GetAccessKeyInfo": self.get_access_key_info,
        }


def _assumption(p: Parameters) -> Assumption:
    return Assumption(
        role_arn=p["RoleArn"],
        session_name=p["RoleSessionName"],
        seconds=p.get("DurationSeconds"),
        limits=_limits(p),
        external_id=p.get("ExternalId"),
        source_identity=p.get("SourceIdentity"),
    )


def _limits(p: Parameters) -> SessionLimits:
    return SessionLimits(
        policy=p.get("Policy"),
        policy_arns=tuple(each["arn"] for each in p.get("PolicyArns", ()) if "arn" in each),
        tags=tags_from_wire(p.get("Tags")),
        transitive_tag_keys=tuple(p.get("TransitiveTagKeys", ())),
    )


def _no_second_factor(p: Parameters) -> None:
    """There are no second factors here, so that none can be right."""
    if "SerialNumber" in p or "TokenCode" in p:
        raise AccessDenied("MultiFactorAuthentication failed, unable to validate MFA code.")


def _role_session(made: Assumed) -> dict[str, Any]:
    return {
        "Credentials": _credentials(made),
        "AssumedRoleUser": {"AssumedRoleId": made.credential.principal_id, "Arn": made.credential.principal_arn},
        "PackedPolicySize": made.packed_size,
    }


def _credentials(made: Assumed) -> dict[str, Any]:
    return {
        "AccessKeyId": made.credential.access_key_id,
        "SecretAccessKey": made.credential.secret.reveal().decode("ascii"),
        "SessionToken": made.token,
        "Expiration": made.session.expires_at,
    }
