"""AWS Certificate Manager: one function an operation, from wire parameters to a verb of the rooms (acm.md 4)."""

import json
from collections.abc import Mapping
from typing import Any

from greatseal.aws import acm_search as search_wire
from greatseal.aws import acm_shapes as shapes
from greatseal.aws import acm_validation as validation
from greatseal.aws.door import OperationFunction
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.aws.tags import to_wire as tags_to_wire
from greatseal.domain.access import Access, Question
from greatseal.domain.certificates import Exports, Imports, Inventory, Renewing, Requests
from greatseal.domain.certificates.model import ManagedCertificate
from greatseal.domain.certificates.requests import CertificateRequest
from greatseal.domain.certificates.search import Predicate
from greatseal.domain.certificates.validations import Validations
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.pages import Page, PageTokens
from greatseal.kernel.secret import Secret
from greatseal.x509 import pem

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None
Context = Mapping[str, str | tuple[str, ...]]

DEFAULT_LIST_PAGE = 1000
DEFAULT_SEARCH_PAGE = 100


class CertificateManager:
    """The operations of ACM. Each names action, resource and condition keys before it acts."""

    def __init__(
        self,
        *,
        access: Access,
        inventory: Inventory,
        requests: Requests,
        renewing: Renewing,
        imports: Imports,
        exports: Exports,
        validations: Validations,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._access = access
        self._inventory = inventory
        self._requests = requests
        self._renewing = renewing
        self._imports = imports
        self._exports = exports
        self._validations = validations
        self._domains = validation.DomainValidations(access=access, validations=validations, tokens=tokens)
        self._clock = clock

    def request_certificate(self, caller: Caller, p: Parameters) -> Result:
        """4.1"""
        names = tuple(dict.fromkeys(name.lower() for name in (p["DomainName"], *p.get("SubjectAlternativeNames", ()))))
        tags = tags_from_wire(p.get("Tags"))
        options = p.get("Options", {})
        authority = p.get("CertificateAuthorityArn")
        logging = options.get("CertificateTransparencyLoggingPreference", "ENABLED")
        context: dict[str, str | tuple[str, ...]] = {
            **tag_conditions(tags),
            "acm:DomainNames": names,
            "acm:KeyAlgorithm": p.get("KeyAlgorithm", "RSA_2048"),
            "acm:CertificateTransparencyLogging": logging,
            "acm:Export": options.get("Export", "DISABLED"),
            "acm:CertificateKeyPairOrigin": "AWS_MANAGED",
        }
        # Absent for a private request without it (iam.md, example 1); EMAIL is the default of a public one.
        method = p.get("ValidationMethod", None if authority else "EMAIL")
        if method:
            context["acm:ValidationMethod"] = method
        if authority:
            context["acm:CertificateAuthority"] = authority
        self._authorize_new(caller, "acm:RequestCertificate", context, tagged=bool(tags))
        chosen = p.get("DomainValidationOptions", ())
        shapes.check_validation_options(names, chosen)
        arn = self._requests.request(
            caller,
            CertificateRequest(
                names=names,
                authority_arn=authority,
                key_algorithm=p.get("KeyAlgorithm", "RSA_2048"),
                # A private certificate shows what was asked for, and is not validated.
                validation_method=method,
                validation_domains=validation.validation_domains(names, chosen) if method == "EMAIL" else {},
                managed_by=None if authority else p.get("ManagedBy"),
                transparency_logging=logging,
                # A private certificate can always be exported (4.1).
                export_option="DISABLED" if authority else options.get("Export", "DISABLED"),
                tags=tags,
                idempotency_token=p.get("IdempotencyToken"),
            ),
        )
        return {"CertificateArn": arn}

    def describe_certificate(self, caller: Caller, p: Parameters) -> Result:
        """4.2"""
        found = self._validations.describe(caller, self._authorize(caller, p))
        return {"Certificate": shapes.detail(found, self._clock.now())}

    def get_certificate(self, caller: Caller, p: Parameters) -> Result:
        """4.3"""
        found = self._inventory.body(caller, self._authorize(caller, p))
        assert found.material is not None
        chain = self._inventory.chain_of(found)
        return {
            "Certificate": pem.write("CERTIFICATE", found.material.certificate),
            "CertificateChain": pem.write_certificates(chain) if chain else None,
        }

    def list_certificates(self, caller: Caller, p: Parameters) -> Result:
        """4.4"""
        self._access.authorize(caller, Question("acm:ListCertificates", "*"))
        predicate = search_wire.list_predicate(p)
        page = self._find(caller, "ListCertificates", p, predicate, p.get("MaxItems", DEFAULT_LIST_PAGE))
        now = self._clock.now()
        return {
            "CertificateSummaryList": [shapes.summary(item, now) for item in page.items],
            "NextToken": page.next_token,
        }

    def search_certificates(self, caller: Caller, p: Parameters) -> Result:
        """17"""
        self._access.authorize(caller, Question("acm:SearchCertificates", "*"))
        statement = p.get("FilterStatement")
        predicate = search_wire.predicate(statement) if statement else None
        page = self._find(caller, "SearchCertificates", p, predicate, p.get("MaxResults", DEFAULT_SEARCH_PAGE))
        now = self._clock.now()
        return {"Results": [shapes.search_result(item, now) for item in page.items], "NextToken": page.next_token}

    def delete_certificate(self, caller: Caller, p: Parameters) -> Result:
        """4.5"""
        self._inventory.delete(caller, self._authorize(caller, p))
        return None

    def import_certificate(self, caller: Caller, p: Parameters) -> Result:
        """10.4, 10.5"""
        tags = tags_from_wire(p.get("Tags"))
        material = {
            "certificate": p["Certificate"],
            "private_key": p["PrivateKey"],
            "chain": p.get("CertificateChain"),
            "tags": tags,
        }
        if "CertificateArn" in p:
            arn = self._authorize(caller, p, tag_conditions(tags))
            return {"CertificateArn": self._imports.reimport(caller, arn, **material)}
        self._authorize_new(caller, "acm:ImportCertificate", tag_conditions(tags), tagged=bool(tags))
        return {"CertificateArn": self._imports.import_(caller, **material)}

    def export_certificate(self, caller: Caller, p: Parameters) -> Result:
        """10.1"""
        exported = self._exports.export(caller, self._authorize(caller, p), Secret(p["Passphrase"]))
        return {
            "Certificate": pem.write("CERTIFICATE", exported.certificate),
            "CertificateChain": pem.write_certificates(exported.chain) if exported.chain else None,
            "PrivateKey": pem.write("ENCRYPTED PRIVATE KEY", exported.encrypted_key),
        }

    def renew_certificate(self, caller: Caller, p: Parameters) -> Result:
        """9.6"""
        self._renewing.renew(caller, self._authorize(caller, p))
        return None

    def revoke_certificate(self, caller: Caller, p: Parameters) -> Result:
        """10.3"""
        arn = self._authorize(caller, p)
        self._exports.revoke(caller, arn, shapes.revocation_reason(p["RevocationReason"]))
        return {"CertificateArn": arn}

    def add_tags_to_certificate(self, caller: Caller, p: Parameters) -> Result:
        """10.6"""
        tags = tags_from_wire(p["Tags"])
        self._inventory.tag(caller, self._authorize(caller, p, tag_conditions(tags)), tags)
        return None

    def remove_tags_from_certificate(self, caller: Caller, p: Parameters) -> Result:
        """10.6"""
        tags = tags_from_wire(p["Tags"])
        self._inventory.untag(caller, self._authorize(caller, p, tag_conditions(tags)), tags)
        return None

    def list_tags_for_certificate(self, caller: Caller, p: Parameters) -> Result:
        """10.6"""
        return {"Tags": tags_to_wire(self._inventory.tags_of(caller, self._authorize(caller, p)))}

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """10.6: for ACME resources, of which there are none yet; a certificate has operations of its own."""
        raise _not_taggable(p["ResourceArn"])

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """10.6"""
        raise _not_taggable(p["ResourceArn"])

    def list_tags_for_resource(self, caller: Caller, p: Parameters) -> Result:
        """10.6"""
        raise _not_taggable(p["ResourceArn"])

    def get_account_configuration(self, caller: Caller, p: Parameters) -> Result:
        """4.11"""
        self._access.authorize(caller, Question("acm:GetAccountConfiguration", "*"))
        return {"ExpiryEvents": {"DaysBeforeExpiry": self._inventory.days_before_expiry(caller)}}

    def put_account_configuration(self, caller: Caller, p: Parameters) -> Result:
        """4.11"""
        self._access.authorize(caller, Question("acm:PutAccountConfiguration", "*"))
        days = p.get("ExpiryEvents", {}).get("DaysBeforeExpiry")
        self._inventory.configure_expiry(caller, days=days, token=p["IdempotencyToken"])
        return None

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "RequestCertificate": self.request_certificate,
            "DescribeCertificate": self.describe_certificate,
            "GetCertificate": self.get_certificate,
            "ListCertificates": self.list_certificates,
            "SearchCertificates": self.search_certificates,
            "DeleteCertificate": self.delete_certificate,
            "ImportCertificate": self.import_certificate,
            "ExportCertificate": self.export_certificate,
            "RenewCertificate": self.renew_certificate,
            "RevokeCertificate": self.revoke_certificate,
            "AddTagsToCertificate": self.add_tags_to_certificate,
            "RemoveTagsFromCertificate": self.remove_tags_from_certificate,
            "ListTagsForCertificate": self.list_tags_for_certificate,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
            "GetAccountConfiguration": self.get_account_configuration,
            "PutAccountConfiguration": self.put_account_configuration,
            **self._domains.operations(),
        }

    def _authorize(self, caller: Caller, p: Parameters, context: Context | None = None) -> str:
        """The ARN of the certificate that the operation is about, once the caller may do it."""
        arn: str = p["CertificateArn"]
        self._access.authorize(caller, Question(caller.operation, arn, context or {}))
        return arn

    def _authorize_new(self, caller: Caller, action: str, context: Context, *, tagged: bool) -> None:
        anything = str(caller.arn("acm", "certificate/*"))
        questions = [Question(action, anything, context)]
        if tagged:
            questions.append(Question("acm:AddTagsToCertificate", anything, context))
        self._access.authorize(caller, *questions)

    def _find(
        self, caller: Caller, operation: str, p: Parameters, predicate: Predicate | None, limit: int
    ) -> Page[ManagedCertificate]:
        filters = {k: v for k, v in p.items() if k not in ("NextToken", "MaxItems", "MaxResults")}
        return self._inventory.find(
            caller,
            predicate,
            search_wire.ordering(p, default_descending=operation == "SearchCertificates"),
            operation=operation,
            filters=json.dumps(filters, sort_keys=True, default=str),
            limit=limit,
            token=p.get("NextToken"),
        )


def _not_taggable(arn: str) -> ValidationFailed:
    return ValidationFailed(
        f"The resource {arn} does not support this operation. Use AddTagsToCertificate, "
        "RemoveTagsFromCertificate and ListTagsForCertificate for certificates."
    )
