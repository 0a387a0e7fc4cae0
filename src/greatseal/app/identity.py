"""The service's own HTTPS certificate, issued by the installation's own CA through the same rooms as any other."""

import ipaddress
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from greatseal.app.own_acts import INSTALLATION_ACCOUNT
from greatseal.app.rooms import Rooms
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import load_private, pem_private
from greatseal.domain.authorities.lifecycle import NewAuthority
from greatseal.domain.authorities.model import Kind, SubjectSpec
from greatseal.domain.authorities.order import Order
from greatseal.domain.keys import Purpose
from greatseal.kernel.caller import Caller
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage import installation
from greatseal.x509 import general_names, pem
from greatseal.x509.attributes import COMMON_NAME
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import build_csr
from greatseal.x509.extensions import subject_alternative_name
from greatseal.x509.names import subject_from_custom
from greatseal.x509.templates import find_template, template_arn
from greatseal.x509.validity import Validity, ValidityType

_AUTHORITY = "https-authority"
_CERTIFICATE = "https-certificate/"
_CA_YEARS = 10
_CERTIFICATE_DAYS = 90
RENEW_BEFORE = timedelta(days=30)
_SIGNING = SignatureAlgorithm.SHA256WITHECDSA


@dataclass(frozen=True, slots=True)
class Identity:
    """What the HTTPS listener shows: PEM texts, the key unencrypted."""

    certificate_chain: str
    private_key: Secret
    root: str
    certificate: Certificate


def server_names(extra: Iterable[str], bound: str) -> tuple[str, ...]:
    """Localhost and its addresses, the host's name, the bound address, and what settings add; each once."""
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname().lower(), *(name.lower() for name in extra)]
    if bound not in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        names.append(bound.lower())
    return tuple(dict.fromkeys(name for name in names if name))


def ensure(rooms: Rooms, *, region: str, names: tuple[str, ...]) -> Identity:
    """The identity for these names; made when there is none for them, and renewed when it ends soon."""
    caller = _caller(rooms, region)
    authority = _authority(rooms, caller)
    stored = rooms.storage.read(lambda tx: installation.recall(tx, _fact_of(names)))
    if stored is not None:
        fact = json.loads(stored)
        issued = rooms.issuance.certificate(authority, fact["arn"])
        current = Certificate.parse(issued.certificate)
        if current.not_after - rooms.clock.now() > RENEW_BEFORE:
            return _identity(rooms, authority, fact["arn"], fact["key_id"])
    return _issue(rooms, caller, authority, names)


def _authority(rooms: Rooms, caller: Caller) -> str:
    """The ARN of the installation's own root CA. The idempotency token makes a crash in the middle harmless."""
    stored = rooms.storage.read(lambda tx: installation.recall(tx, _AUTHORITY))
    if stored is not None:
        return stored.decode()
    arn = rooms.lifecycle.create(
        caller,
        NewAuthority(
            kind=Kind.ROOT,
            key_algorithm=KeyAlgorithm.EC_prime256v1,
            signing_algorithm=_SIGNING,
            subject=SubjectSpec(
                standard=(
                    ("Organization", "Greatseal"),
                    ("CommonName", f"Greatseal installation CA {rooms.entropy.token_bytes(4).hex()}"),
                )
            ),
        ),
    )
    root = template_arn(caller.partition, "RootCACertificate")
    order = Order(
        csr=pem.write("CERTIFICATE REQUEST", rooms.registry.csr(arn)).encode(),
        signing_algorithm=_SIGNING,
        validity=Validity(_CA_YEARS, ValidityType.YEARS),
        template=find_template(root),
        template_arn=root,
    )
    issued = rooms.issuance.certificate(arn, rooms.issuance.issue(caller, arn, order))
    rooms.lifecycle.import_certificate(caller, arn, pem.write("CERTIFICATE", issued.certificate).encode(), None)
    # Of two nodes that start at once, one CA stays; the other is never used.
    return rooms.storage.transact(lambda tx: installation.remember(tx, _AUTHORITY, arn.encode())).decode()


def _issue(rooms: Rooms, caller: Caller, authority: str, names: tuple[str, ...]) -> Identity:
    key = rooms.keys.generate(KeyAlgorithm.EC_prime256v1)
    san = subject_alternative_name([_general_name(name) for name in names])
    csr = build_csr(subject_from_custom([(COMMON_NAME, names[0])]), rooms.keys.signer_of(key), _SIGNING, (san,))
    template = template_arn(caller.partition, "EndEntityServerAuthCertificate")
    order = Order(
        csr=pem.write("CERTIFICATE REQUEST", csr).encode(),
        signing_algorithm=_SIGNING,
        validity=Validity(_CERTIFICATE_DAYS, ValidityType.DAYS),
        template=find_template(template),
        template_arn=template,
    )
    rooms.storage.transact(
        lambda tx: rooms.keys.add(tx, key, account=INSTALLATION_ACCOUNT, purpose=Purpose.CERTIFICATE)
    )
    arn = rooms.issuance.issue(caller, authority, order)
    fact = json.dumps({"arn": arn, "key_id": key.id}).encode()
    rooms.storage.transact(lambda tx: installation.replace(tx, _fact_of(names), fact))
    return _identity(rooms, authority, arn, key.id)


def _identity(rooms: Rooms, authority: str, arn: str, key_id: str) -> Identity:
    issued = rooms.issuance.certificate(authority, arn)
    root = rooms.registry.certificate(authority)
    key = rooms.storage.read(lambda tx: rooms.keys.export(tx, key_id))
    return Identity(
        certificate_chain=pem.write("CERTIFICATE", issued.certificate) + "\n",
        private_key=pem_private(load_private(key)),
        root=pem.write("CERTIFICATE", root.der) + "\n",
        certificate=Certificate.parse(issued.certificate),
    )


def _fact_of(names: tuple[str, ...]) -> str:
    """Nodes that share a database have names of their own, and a certificate each."""
    return _CERTIFICATE + sha256("\n".join(names).encode()).hexdigest()[:16]


def _general_name(name: str) -> general_names.GeneralName:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return general_names.dns(name)
    return general_names.ip(name)


def _caller(rooms: Rooms, region: str) -> Caller:
    return Caller(
        account=INSTALLATION_ACCOUNT,
        region=region,
        principal_arn=f"arn:aws:iam::{INSTALLATION_ACCOUNT}:root",
        access_key_id="",
        request_id=new_uuid(rooms.entropy),
        operation="greatseal:Start",
        at=rooms.clock.now(),
        service_principal="greatseal",
    )
