"""An issuing authority of mobile driver's licences for tests: certificates that annex B likes, and documents."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from greatseal.crypto.cbor import Tagged
from greatseal.mdoc import DOC_TYPE, NAMESPACE, Order, Question, prepare
from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.extensions import basic_constraints
from greatseal.x509.mdl_profiles import root_extensions, signer_extensions
from greatseal.x509.names import Name
from made_certificates import ALGORITHM, NOW, signer
from made_certificates import Order as Paper

CONTACT, LIST = "https://dmv.example.com", "http://lists.example.com/crl/1.crl"
PORTRAIT = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8


def subject(common_name: str, country: str = "US", state: str | None = "US-CA") -> Name:
    rdns = [(Attribute("2.5.4.6", der.PRINTABLE_STRING, country),)]
    if state is not None:
        rdns.append((Attribute("2.5.4.8", der.UTF8_STRING, state),))
    return Name.build([*rdns, (Attribute(COMMON_NAME, der.UTF8_STRING, common_name),)])


IACA = Paper(
    "iaca",
    ca=True,
    path_length=0,
    subject=subject("mDL IACA Root"),
    not_after=NOW + timedelta(days=3285),
    add=root_extensions(contact=CONTACT, crl_url=LIST),
)
SIGNER = Paper(
    "document signer",
    IACA,
    subject=subject("mDL signer"),
    not_after=NOW + timedelta(days=456),
    add=(*signer_extensions(contact=CONTACT, crl_url=LIST), basic_constraints(False, critical=False)),
)


def full_date(text: str) -> Tagged:
    return Tagged(1004, text)


def licence(**changes: Any) -> dict[str, object]:
    """The mandatory elements and some more; None takes one away."""
    elements: dict[str, object] = {
        "family_name": "Doe",
        "given_name": "John",
        "birth_date": full_date("1990-01-31"),
        "issue_date": full_date("2026-01-01"),
        "expiry_date": full_date("2031-01-01"),
        "issuing_country": "US",
        "issuing_jurisdiction": "US-CA",
        "issuing_authority": "Department of Motor Vehicles",
        "document_number": "D1234567",
        "portrait": PORTRAIT,
        "driving_privileges": [{"vehicle_category_code": "B", "issue_date": full_date("2010-01-01")}],
        "un_distinguishing_sign": "USA",
        "age_over_18": True,
        "height": 183,
    }
    elements.update(changes)
    return {name: value for name, value in elements.items() if value is not None}


def order(namespaces: Mapping[str, Mapping[str, object]] | None = None, **changes: Any) -> Order:
    given = {
        "namespaces": namespaces if namespaces is not None else {NAMESPACE: licence()},
        "device_key": signer("device").spki,
        "signed": NOW,
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=30),
    }
    return Order(**(given | changes))


def randoms() -> Any:
    """Octets that look random and are the same in every run."""
    numbers = count()
    return lambda size: hashlib.shake_256(next(numbers).to_bytes(4, "big")).digest(size)


def issued(made: Order | None = None, paper: Paper = SIGNER, *, key_of: str | None = None) -> bytes:
    """IssuerSigned, CBOR, signed by the key of the paper's label."""
    prepared = prepare(made or order(), (paper.sign(),), randoms())
    return prepared.finish(signer(key_of or paper.label).sign(prepared.to_be_signed, ALGORITHM))


def question(**changes: Any) -> Question:
    given = {"roots": [IACA.sign()], "at": NOW, "doc_type": DOC_TYPE}
    return Question(**(given | changes))
