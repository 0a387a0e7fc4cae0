"""How ACM asks a private CA: as its own service principal, for the account that owns the certificate."""

from datetime import timedelta

from msgspec import structs

from greatseal.crypto.algorithms import KeyAlgorithm, default_signature_algorithm
from greatseal.domain.access import Access, Question
from greatseal.domain.access.language import DecidedBy, denial_sentence
from greatseal.domain.access.standing import of_service_linked_role
from greatseal.domain.authorities import Issuance, Permissions, Registry
from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.authorities.model import Authority, UsageMode
from greatseal.domain.authorities.order import Order
from greatseal.domain.authorities.permission import ACM_PRINCIPAL
from greatseal.domain.certificates.model import ManagedCertificate
from greatseal.domain.keys import Keys
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import AccessDenied, InvalidArn, RequestFailed
from greatseal.storage import Storage
from greatseal.x509 import pem
from greatseal.x509.attributes import COMMON_NAME
from greatseal.x509.csr import build_csr
from greatseal.x509.extensions import subject_alternative_name
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import subject_from_custom
from greatseal.x509.templates import find_template, template_arn
from greatseal.x509.validity import Validity, ValidityType

# Thirteen calendar months, as the real service's certificates show (acm-pca.md 7.3).
VALIDITY = Validity(13, ValidityType.MONTHS)
TEMPLATE = "EndEntityCertificate"
# A job is retried for hours, and must find the certificate of its first run all that time.
TOKEN_WINDOW = timedelta(days=30)


class Issuing:
    """Gets a certificate for a pending key from a private CA."""

    def __init__(
        self,
        *,
        storage: Storage,
        access: Access,
        registry: Registry,
        permissions: Permissions,
        issuance: Issuance,
        keys: Keys,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._access = access
        self._registry = registry
        self._permissions = permissions
        self._issuance = issuance
        self._keys = keys
        self._clock = clock

    def permitted(self, caller: Caller, authority_arn: str) -> bool:
        """Whether somebody who asks ACM for a certificate may have one from this CA.

        ACM passes the wish on with the rights of who asks (iam.md 2), judged when they ask: the job that issues comes
        later, when a session may have ended. Raises AccessDenied when the asker's own side forbids it. That the owner's
        side does not allow it becomes the certificate's failure (acm.md 6.2), as the service shows it.
        """
        question = _question(authority_arn, caller.partition)
        acting = structs.replace(caller, operation=question.action, called_via=(ACM_PRINCIPAL,))
        verdict = self._access.verdict(acting, question)
        if not verdict.allowed and verdict.kind is not DecidedBy.RESOURCE:
            raise AccessDenied(denial_sentence(verdict, caller.principal_arn, question.action, question.resource))
        return verdict.allowed

    def issue(
        self, item: ManagedCertificate, principal_arn: str, request_id: str, *, permitted: bool
    ) -> IssuedCertificate:
        """The certificate for the pending key. Raises what the CA refuses with; InProgress asks for a retry.

        The first issuance has the rights of who asked (`permitted`). A renewal happens without anybody asking, so it
        needs the permission that the CA's owner gave to ACM; when the owner is another account, what that one's policy
        allows to this account's service-linked role (acm.md 9.4, acm-pca.md 12.1).
        """
        assert item.authority_arn is not None
        _check_region(item.authority_arn, item.region)
        assert item.pending_key_id is not None
        arn = item.authority_arn
        caller = self._caller(item, principal_arn, request_id)
        template = template_arn(caller.partition, TEMPLATE)
        if item.material is None and not permitted:
            raise AccessDenied(f"{principal_arn} may not issue with {arn}.")
        authority = self._storage.read(lambda tx: self._registry.load(tx, arn))
        if item.material is not None and not self._may_renew(caller, authority):
            raise AccessDenied(f"{ACM_PRINCIPAL} has no permission to renew with {arn}.")
        _check_fit(authority, item)
        issued_arn = self._issuance.issue(
            caller,
            arn,
            Order(
                csr=pending_csr(self._keys, item),
                signing_algorithm=authority.signing_algorithm,
                validity=VALIDITY,
                template=find_template(template),
                template_arn=template,
                idempotency_token=f"{item.id}/{item.generation}",
                idempotency_window=TOKEN_WINDOW,
            ),
        )
        return self._issuance.certificate(arn, issued_arn)

    def _may_renew(self, caller: Caller, authority: Authority) -> bool:
        if authority.account == caller.account:
            account = caller.account
            return self._storage.read(lambda tx: self._permissions.allows_renewal(tx, authority.id, account))
        role = of_service_linked_role(caller.account, caller.partition, ACM_PRINCIPAL)
        question = _question(authority.arn, caller.partition)
        return self._access.verdict_for(role, caller, question).allowed

    def _caller(self, item: ManagedCertificate, principal_arn: str, request_id: str) -> Caller:
        return Caller(
            account=item.account,
            region=item.region,
            principal_arn=principal_arn,
            access_key_id="",
            request_id=request_id,
            operation="acm-pca:IssueCertificate",
            at=self._clock.now(),
            source_ip=ACM_PRINCIPAL,
            user_agent=ACM_PRINCIPAL,
            service_principal=ACM_PRINCIPAL,
        )


def pending_csr(keys: Keys, item: ManagedCertificate) -> bytes:
    """The request (PEM) for the names of a certificate, signed with its pending key."""
    assert item.pending_key_id is not None
    signer = keys.signer(item.pending_key_id)
    names = subject_alternative_name([GeneralName("dns", name) for name in item.names], critical=False)
    subject = subject_from_custom([(COMMON_NAME, item.domain_name)])
    der = build_csr(subject, signer, default_signature_algorithm(signer.algorithm), (names,))
    return pem.write("CERTIFICATE REQUEST", der).encode("ascii")


def _question(authority_arn: str, partition: str) -> Question:
    context = {"acm-pca:TemplateArn": template_arn(partition, TEMPLATE)}
    return Question("acm-pca:IssueCertificate", authority_arn, context)


def _check_region(authority_arn: str, region: str) -> None:
    """A CA of another region cannot be used (acm.md 6.2)."""
    if Arn.parse(authority_arn).region != region:
        raise InvalidArn(f"The ARN {authority_arn} is not the ARN of a certificate authority in {region}.")


def _check_fit(authority: Authority, item: ManagedCertificate) -> None:
    """ACM uses general-purpose CAs of the certificate's own key family (acm.md 7.2, 9.4)."""
    if authority.usage_mode is UsageMode.SHORT_LIVED_CERTIFICATE:
        raise RequestFailed("A certificate authority for short-lived certificates cannot be used by ACM.")
    if KeyAlgorithm[item.key_algorithm].family != authority.key_algorithm.family:
        raise RequestFailed("The key algorithms of the certificate and of the certificate authority do not fit.")
