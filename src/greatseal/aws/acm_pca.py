"""AWS Private CA: one function an operation, from wire parameters to a verb of the rooms (acm-pca.md 2)."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import acm_pca_revocation as revocation_shapes
from greatseal.aws import acm_pca_shapes as shapes
from greatseal.aws import asn1
from greatseal.aws.door import OperationFunction
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.aws.tags import to_wire as tags_to_wire
from greatseal.domain.access import Access, Question
from greatseal.domain.authorities import AuditReports, Issuance, Lifecycle, Ordered, Permissions, Registry
from greatseal.domain.authorities.lifecycle import NewAuthority
from greatseal.domain.authorities.model import Kind, Status, UsageMode, authority_id
from greatseal.domain.authorities.order import Order
from greatseal.domain.authorities.report import ReportFormat
from greatseal.domain.revocation import RevocationReason, Revocations
from greatseal.domain.sharing import AuthorityPolicies, Listings
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import NotFound
from greatseal.kernel.later import Later
from greatseal.kernel.pages import PageTokens
from greatseal.x509 import pem
from greatseal.x509.templates import DEFAULT_TEMPLATE, find_template, template_arn

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

DEFAULT_PAGE = 100
DEFAULT_WINDOW_DAYS = 30


class PrivateCa:
    """The operations of AWS Private CA. Each names action, resource and condition keys before it acts."""

    def __init__(
        self,
        *,
        access: Access,
        registry: Registry,
        lifecycle: Lifecycle,
        issuance: Issuance,
        permissions: Permissions,
        revocations: Revocations,
        reports: AuditReports,
        policies: AuthorityPolicies,
        sharing: Listings,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._access = access
        self._registry = registry
        self._lifecycle = lifecycle
        self._issuance = issuance
        self._permissions = permissions
        self._revocations = revocations
        self._reports = reports
        self._policies = policies
        self._sharing = sharing
        self._clock = clock
        self._tokens = tokens

    def create_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.1"""
        anything = str(caller.arn("acm-pca", "certificate-authority/*"))
        tags = tags_from_wire(p.get("Tags"))
        context = tag_conditions(tags)
        questions = [Question("acm-pca:CreateCertificateAuthority", anything, context)]
        if tags:
            questions.append(Question("acm-pca:TagCertificateAuthority", anything, context))
        self._access.authorize(caller, *questions)
        configuration = p["CertificateAuthorityConfiguration"]
        arn = self._lifecycle.create(
            caller,
            NewAuthority(
                kind=Kind(p["CertificateAuthorityType"]),
                key_algorithm=shapes.key_algorithm(configuration["KeyAlgorithm"]),
                signing_algorithm=shapes.signing_algorithm(configuration["SigningAlgorithm"]),
                subject=asn1.subject_spec(configuration["Subject"]),
                csr_extensions=shapes.csr_extensions(configuration.get("CsrExtensions")),
                usage_mode=UsageMode(p.get("UsageMode", "GENERAL_PURPOSE")),
                key_storage=shapes.key_storage(p.get("KeyStorageSecurityStandard")),
                revocation=revocation_shapes.from_wire(p.get("RevocationConfiguration")),
                tags=tags,
                idempotency_token=p.get("IdempotencyToken"),
            ),
        )
        return {"CertificateAuthorityArn": arn}

    def describe_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.2"""
        arn = self._authorize(caller, p)
        return {"CertificateAuthority": shapes.authority_wire(self._registry.describe(arn), self._clock.now())}

    def list_certificate_authorities(self, caller: Caller, p: Parameters) -> Result:
        """2.3; OTHER_ACCOUNTS are those that share with the caller's account."""
        self._access.authorize(caller, Question("acm-pca:ListCertificateAuthorities", "*"))
        limit, token = p.get("MaxResults", DEFAULT_PAGE), p.get("NextToken")
        if p.get("ResourceOwner", "SELF") == "OTHER_ACCOUNTS":
            page = self._registry.list_shared(caller, self._sharing.shared_with(caller), limit=limit, token=token)
        else:
            page = self._registry.list(caller, limit=limit, token=token)
        now = self._clock.now()
        return {
            "CertificateAuthorities": [shapes.authority_wire(item, now) for item in page.items],
            "NextToken": page.next_token,
        }

    def get_certificate_authority_csr(self, caller: Caller, p: Parameters) -> Result:
        """2.4"""
        return {"Csr": pem.write("CERTIFICATE REQUEST", self._registry.csr(self._authorize(caller, p)))}

    def import_certificate_authority_certificate(self, caller: Caller, p: Parameters) -> Result:
        """2.5"""
        arn = self._authorize(caller, p)
        self._lifecycle.import_certificate(caller, arn, p["Certificate"], p.get("CertificateChain"))
        return None

    def get_certificate_authority_certificate(self, caller: Caller, p: Parameters) -> Result:
        """2.6"""
        return shapes.ca_certificate_wire(self._registry.certificate(self._authorize(caller, p)))

    def issue_certificate(self, caller: Caller, p: Parameters) -> Later[Any, Ordered]:
        """2.7"""
        template = p.get("TemplateArn") or template_arn(caller.partition, DEFAULT_TEMPLATE)
        arn = self._authorize(caller, p, {"acm-pca:TemplateArn": template})
        not_before = p.get("ValidityNotBefore")
        found = find_template(template)
        order = Order(
            csr=p["Csr"],
            signing_algorithm=shapes.signing_algorithm(p["SigningAlgorithm"]),
            validity=shapes.validity(p["Validity"]),
            template=found,
            template_arn=template,
            not_before=shapes.validity(not_before) if not_before else None,
            # With other templates it is ignored, whatever it says (acm-pca.md 7.1).
            passthrough=asn1.passthrough(p.get("ApiPassthrough")) if found.from_api else None,
            idempotency_token=p.get("IdempotencyToken"),
        )
        return Later(
            (caller, arn, order),
            self._issuance.issue_together,
            then=lambda ordered: {"CertificateArn": ordered.arn},
            is_recorded=lambda ordered: not ordered.repeated,
        )

    def get_certificate(self, caller: Caller, p: Parameters) -> Result:
        """2.8"""
        arn = self._authorize(caller, p)
        return shapes.issued_wire(self._issuance.certificate(arn, p["CertificateArn"]))

    def revoke_certificate(self, caller: Caller, p: Parameters) -> Result:
        """2.9"""
        arn = self._authorize(caller, p)
        reason = RevocationReason[p["RevocationReason"]]
        self._revocations.revoke(caller, arn, serial=p["CertificateSerial"], reason=reason)
        return None

    def update_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.10"""
        arn = self._authorize(caller, p)
        status = p.get("Status")
        revocation = revocation_shapes.from_wire(p.get("RevocationConfiguration"))
        self._lifecycle.update(caller, arn, status=Status(status) if status else None, revocation=revocation)
        return None

    def delete_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.11"""
        arn = self._authorize(caller, p)
        days = p.get("PermanentDeletionTimeInDays", DEFAULT_WINDOW_DAYS)
        self._lifecycle.delete(caller, arn, window_days=days)
        return None

    def restore_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.12"""
        self._lifecycle.restore(caller, self._authorize(caller, p))
        return None

    def create_certificate_authority_audit_report(self, caller: Caller, p: Parameters) -> Result:
        """2.13"""
        arn = self._authorize(caller, p)
        form = ReportFormat[p["AuditReportResponseFormat"]]
        made = self._reports.create(caller, arn, bucket=p["S3BucketName"], form=form)
        return {"AuditReportId": made.id, "S3Key": made.key}

    def describe_certificate_authority_audit_report(self, caller: Caller, p: Parameters) -> Result:
        """2.14"""
        found = self._reports.describe(self._authorize(caller, p), p["AuditReportId"])
        return {
            "AuditReportStatus": found.status.value,
            "S3BucketName": found.bucket,
            "S3Key": found.key,
            "CreatedAt": found.created_at,
        }

    def create_permission(self, caller: Caller, p: Parameters) -> Result:
        """2.15"""
        arn = self._authorize(caller, p)
        self._permissions.create(
            caller,
            arn,
            principal=p["Principal"],
            source_account=p.get("SourceAccount", caller.account),
            actions=p["Actions"],
        )
        return None

    def delete_permission(self, caller: Caller, p: Parameters) -> Result:
        """2.15"""
        arn = self._authorize(caller, p)
        account = p.get("SourceAccount", caller.account)
        self._permissions.delete(caller, arn, principal=p["Principal"], source_account=account)
        return None

    def list_permissions(self, caller: Caller, p: Parameters) -> Result:
        """2.15"""
        arn = self._authorize(caller, p)
        limit = p.get("MaxResults", DEFAULT_PAGE)
        page = self._permissions.list(caller, arn, limit=limit, token=p.get("NextToken"))
        return {
            "Permissions": [
                {
                    "CertificateAuthorityArn": arn,
                    "CreatedAt": item.created_at,
                    "Principal": item.principal,
                    "SourceAccount": item.source_account,
                    "Actions": list(item.actions),
                }
                for item in page.items
            ],
            "NextToken": page.next_token,
        }

    def put_policy(self, caller: Caller, p: Parameters) -> Result:
        """2.16"""
        self._policies.put(caller, self._authorize(caller, p, member="ResourceArn"), p["Policy"])
        return None

    def get_policy(self, caller: Caller, p: Parameters) -> Result:
        """2.16"""
        return {"Policy": self._policies.get(self._authorize(caller, p, member="ResourceArn"))}

    def delete_policy(self, caller: Caller, p: Parameters) -> Result:
        """2.16"""
        self._policies.delete(caller, self._authorize(caller, p, member="ResourceArn"))
        return None

    def tag_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.17"""
        tags = tags_from_wire(p["Tags"])
        arn = self._authorize(caller, p, tag_conditions(tags))
        self._registry.tag(caller, arn, tags)
        return None

    def untag_certificate_authority(self, caller: Caller, p: Parameters) -> Result:
        """2.17"""
        tags = tags_from_wire(p["Tags"])
        arn = self._authorize(caller, p, {"aws:TagKeys": tuple(tag.key for tag in tags)})
        self._registry.untag(caller, arn, tags)
        return None

    def list_tags(self, caller: Caller, p: Parameters) -> Result:
        """2.17"""
        arn = self._authorize(caller, p)
        scope = (caller.account, caller.region, "ListTags", arn)
        after = self._tokens.open(scope, p["NextToken"]) if "NextToken" in p else [""]
        limit = p.get("MaxResults", DEFAULT_PAGE)
        left = [tag for tag in self._registry.tags_of(arn) if tag.key > str(after[0])]
        token = self._tokens.issue(scope, [left[limit - 1].key]) if len(left) > limit else None
        return {"Tags": tags_to_wire(left[:limit]), "NextToken": token}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateCertificateAuthority": self.create_certificate_authority,
            "DescribeCertificateAuthority": self.describe_certificate_authority,
            "ListCertificateAuthorities": self.list_certificate_authorities,
            "GetCertificateAuthorityCsr": self.get_certificate_authority_csr,
            "ImportCertificateAuthorityCertificate": self.import_certificate_authority_certificate,
            "GetCertificateAuthorityCertificate": self.get_certificate_authority_certificate,
            "IssueCertificate": self.issue_certificate,
            "GetCertificate": self.get_certificate,
            "RevokeCertificate": self.revoke_certificate,
            "UpdateCertificateAuthority": self.update_certificate_authority,
            "DeleteCertificateAuthority": self.delete_certificate_authority,
            "RestoreCertificateAuthority": self.restore_certificate_authority,
            "CreateCertificateAuthorityAuditReport": self.create_certificate_authority_audit_report,
            "DescribeCertificateAuthorityAuditReport": self.describe_certificate_authority_audit_report,
            "CreatePermission": self.create_permission,
            "DeletePermission": self.delete_permission,
            "ListPermissions": self.list_permissions,
            "PutPolicy": self.put_policy,
            "GetPolicy": self.get_policy,
            "DeletePolicy": self.delete_policy,
            "TagCertificateAuthority": self.tag_certificate_authority,
            "UntagCertificateAuthority": self.untag_certificate_authority,
            "ListTags": self.list_tags,
        }

    def _authorize(
        self,
        caller: Caller,
        p: Parameters,
        context: Mapping[str, str | tuple[str, ...]] | None = None,
        *,
        member: str = "CertificateAuthorityArn",
    ) -> str:
        """The ARN of the CA that the operation is about, once the caller may do it."""
        arn: str = p[member]
        authority_id(arn)
        if Arn.parse(arn).region != caller.region:
            # Resources are regional: what is asked for in one region is not found in another.
            raise NotFound(f"Could not find Certificate Authority {arn}")
        self._access.authorize(caller, Question(caller.operation, arn, context or {}))
        return arn
