"""How a root and its document signers come to be over the AWS wire (workflows.md 19.1, with the profiles of 19.3).

`call(service, operation, **parameters)` is a call by the names of boto3, and may be answered by any client.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from greatseal.crypto import cose
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der, pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, Extension
from greatseal.x509.mdl_profiles import (
    LONGEST_SIGNER,
    Deviation,
    root_deviations,
    root_extensions,
    signer_deviations,
    signer_extensions,
)
from greatseal.x509.names import subject_from_attributes
from greatseal.x509.validity import BACKDATING

Call = Callable[..., Mapping[str, Any]]

ROOT_KEYS = {
    "EC_prime256v1": "SHA256WITHECDSA",
    "EC_secp384r1": "SHA384WITHECDSA",
    "EC_secp521r1": "SHA512WITHECDSA",
}
"""Key algorithms of a root, each with the signature algorithm of its strength (annex B, table B.1)."""
_TEMPLATE = "arn:aws:acm-pca:::template/{}/V1"
_ED25519 = der.sequence(der.oid("1.3.101.112"))
_IDENTIFIERS = {
    cose.Algorithm.ES256: SignatureAlgorithm.SHA256WITHECDSA.identifier,
    cose.Algorithm.ES384: SignatureAlgorithm.SHA384WITHECDSA.identifier,
    cose.Algorithm.ES512: SignatureAlgorithm.SHA512WITHECDSA.identifier,
    cose.Algorithm.EDDSA: _ED25519,
}


class NotConformant(Exception):
    """What would come out is not what annex B wants; nothing was put to use. The message is for people."""


@dataclass(frozen=True, slots=True)
class RootOrder:
    """What an IACA root shall be. `crl_base` is the URL below which its list is, without a slash at its end.

    `crl_host` is a CNAME of the operator's before that place; `subject` has the member names of ASN1Subject.
    """

    subject: Mapping[str, str]
    contact: str
    key_algorithm: str
    days: int
    bucket: str
    crl_days: int
    crl_base: str
    crl_host: str | None


@dataclass(frozen=True, slots=True)
class SignerOrder:
    """What a document signer shall be. `root` is the IACA's certificate, `key_id` names a KMS key."""

    authority: str
    root: Certificate
    key_id: str
    subject: Mapping[str, str]
    contact: str
    days: int
    crl_url: str


def create_authority(call: Call, order: RootOrder) -> str:
    """A CA that waits for its certificate; its ARN."""
    crl: dict[str, Any] = {"Enabled": True, "ExpirationInDays": order.crl_days, "S3BucketName": order.bucket}
    if order.crl_host is not None:
        crl["CustomCname"] = order.crl_host
    made = call(
        "acm-pca",
        "create_certificate_authority",
        CertificateAuthorityType="ROOT",
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": order.key_algorithm,
            "SigningAlgorithm": ROOT_KEYS[order.key_algorithm],
            "Subject": dict(order.subject),
        },
        RevocationConfiguration={"CrlConfiguration": crl},
    )
    return str(made["CertificateAuthorityArn"])


def install_root(call: Call, arn: str, order: RootOrder) -> Certificate:
    """Signs the root's own certificate, looks at it, and puts it to use. Raises NotConformant."""
    # The address has the id of the CA in it, so the extension cannot be made before the CA.
    crl_url = f"{order.crl_base}/crl/{arn.rpartition('/')[2]}.crl"
    certificate = _issue(
        call,
        arn,
        csr=call("acm-pca", "get_certificate_authority_csr", CertificateAuthorityArn=arn)["Csr"].encode(),
        template="BlankRootCACertificate_PathLen0_APIPassthrough",
        extensions=root_extensions(contact=order.contact, crl_url=crl_url),
        usage={"KeyCertSign": True, "CRLSign": True},
        Validity={"Type": "DAYS", "Value": order.days},
    )
    refuse(root_deviations(certificate[0]))
    call(
        "acm-pca",
        "import_certificate_authority_certificate",
        CertificateAuthorityArn=arn,
        Certificate=certificate[1].encode(),
    )
    return certificate[0]


def read_authority(call: Call, arn: str) -> Certificate:
    """The certificate of an active IACA."""
    return _parsed(call("acm-pca", "get_certificate_authority_certificate", CertificateAuthorityArn=arn)["Certificate"])


def certify_signer(call: Call, order: SignerOrder, now: datetime) -> tuple[Certificate, str]:
    """A document signer's certificate for a KMS key, and its PEM. Raises NotConformant."""
    if not timedelta() < timedelta(days=order.days) <= LONGEST_SIGNER:
        raise NotConformant(f"a document signer lives for {LONGEST_SIGNER.days} days at most (annex B, table B.3)")
    # Counted from the backdated start, because that is what the profile counts.
    begin = max(now.replace(microsecond=0) - BACKDATING, order.root.not_before)
    certificate = _issue(
        call,
        order.authority,
        csr=_request(call, order),
        template="BlankEndEntityCertificate_APIPassthrough",
        extensions=signer_extensions(contact=order.contact, crl_url=order.crl_url),
        usage={"DigitalSignature": True},
        Validity={"Type": "ABSOLUTE", "Value": int((begin + timedelta(days=order.days)).timestamp())},
        ValidityNotBefore={"Type": "ABSOLUTE", "Value": int(begin.timestamp())},
    )
    refuse(signer_deviations(certificate[0], order.root))
    return certificate


def refuse(deviations: tuple[Deviation, ...]) -> None:
    """Raises NotConformant when there is one."""
    if deviations:
        raise NotConformant("the certificate " + "; it ".join(each.what for each in deviations))


def sign_in_kms(call: Call, key_id: str, algorithm: cose.Algorithm, data: bytes) -> bytes:
    """A signature over `data` as KMS gives it. Of what is hashed only the digest is sent."""
    digest = cose.digest_for(algorithm, data)
    message = {"Message": data} if digest is None else {"Message": digest, "MessageType": "DIGEST"}
    answer = call("kms", "sign", KeyId=key_id, SigningAlgorithm=_kms_name(algorithm), **message)
    signature: bytes = answer["Signature"]
    return signature


def _kms_name(algorithm: cose.Algorithm) -> str:
    return "ED25519_SHA_512" if algorithm is cose.Algorithm.EDDSA else f"ECDSA_SHA_{algorithm.name.removeprefix('ES')}"


def _request(call: Call, order: SignerOrder) -> bytes:
    """A CSR that the KMS key signs (RFC 2986)."""
    spki: bytes = call("kms", "get_public_key", KeyId=order.key_id)["PublicKey"]
    try:
        algorithm = cose.algorithm_for(spki)
    except cose.CoseError as error:
        raise NotConformant(f"the KMS key is {error}") from None
    name = subject_from_attributes(order.subject)
    info = der.sequence(der.integer(0), name.der, spki, der.tlv(0xA0, b""))
    signature = sign_in_kms(call, order.key_id, algorithm, info)
    return der.sequence(info, _IDENTIFIERS[algorithm], der.bit_string(signature))


def _issue(
    call: Call,
    arn: str,
    *,
    csr: bytes,
    template: str,
    extensions: tuple[Extension, ...],
    usage: Mapping[str, bool],
    **validity: Any,
) -> tuple[Certificate, str]:
    """Typed members where the API has them as annex B wants, custom extensions for the rest (acm-pca.md 8)."""
    custom = [
        {"ObjectIdentifier": each.oid, "Value": _base64(each.value), "Critical": each.critical}
        for each in extensions
        if each.oid != OID.KEY_USAGE
    ]
    described = call("acm-pca", "describe_certificate_authority", CertificateAuthorityArn=arn)["CertificateAuthority"]
    issued = call(
        "acm-pca",
        "issue_certificate",
        CertificateAuthorityArn=arn,
        Csr=csr if csr.startswith(b"-----") else _pem(csr),
        SigningAlgorithm=described["CertificateAuthorityConfiguration"]["SigningAlgorithm"],
        TemplateArn=_TEMPLATE.format(template),
        ApiPassthrough={"Extensions": {"KeyUsage": dict(usage), "CustomExtensions": custom}},
        **validity,
    )
    got = call("acm-pca", "get_certificate", CertificateAuthorityArn=arn, CertificateArn=issued["CertificateArn"])[
        "Certificate"
    ]
    return _parsed(got), got.strip() + "\n"


def _parsed(text: str) -> Certificate:
    return Certificate.parse(pem.read_blocks(text.encode())[0].der)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _pem(request: bytes) -> bytes:
    return pem.write("CERTIFICATE REQUEST", request).encode()
