"""Revocation lists and OCSP answers made to order for tests; every signature is real."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT, RevocationList
from greatseal.x509.crl_write import encode_entry
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_key_identifier,
    extended_key_usage,
    key_identifier_of,
)
from greatseal.x509.ocsp import Good, SingleResponse, Status, assemble, encode_tbs
from greatseal.x509.ocsp.answer import OcspAnswer, encode_request, parse_answer
from made_certificates import ALGORITHM, NOW, ROOT, SUBORDINATE, Order, named, signer

HOUR = timedelta(hours=1)
RESPONDER = Order("responder", SUBORDINATE, add=(extended_key_usage([OID.OCSP_SIGNING]),))


def crl(
    issuer: Order = SUBORDINATE,
    *revoked: tuple[int, int],
    number: int = 1,
    base: int | None = None,
    this_update: datetime = NOW - HOUR,
    next_update: datetime | None = NOW + HOUR,
    key_of: str | None = None,
    extensions: Sequence[Extension] = (),
    entries: Sequence[bytes] = (),
) -> RevocationList:
    """A list of `revoked` (serial, reason), a delta when it has a base."""
    listed = [encode_entry(serial, NOW - HOUR, reason) for serial, reason in revoked] + list(entries)
    every = [
        authority_key_identifier(key_identifier_of(issuer.key)),
        Extension("2.5.29.20", False, der.integer(number)),
        *extensions,
    ]
    if base is not None:
        every.append(Extension(DELTA_CRL_INDICATOR, True, der.integer(base)))
    tbs = der.sequence(
        der.integer(1),
        ALGORITHM.identifier,
        issuer.name.der,
        der.time(this_update),
        *([der.time(next_update)] if next_update else []),
        *([der.sequence(*listed)] if listed else []),
        der.explicit(0, der.sequence(*(each.encode() for each in every))),
    )
    signature = signer(key_of or issuer.label).sign(tbs, ALGORITHM)
    return RevocationList.parse(der.sequence(tbs, ALGORITHM.identifier, der.bit_string(signature)))


def issuing_point(*parts: bytes) -> Extension:
    """IssuingDistributionPoint of encoded parts."""
    return Extension(ISSUING_DISTRIBUTION_POINT, True, der.sequence(*parts))


def cert_id(certificate: Certificate, issuer: Certificate) -> bytes:
    """The CertID as `encode_request` writes it."""
    request = der.only(encode_request(certificate, issuer), der.SEQUENCE)
    return request.enter(der.SEQUENCE).enter(der.SEQUENCE).enter(der.SEQUENCE).raw(der.SEQUENCE)


def answer_der(
    certificate: Certificate,
    issuer: Certificate,
    status: Status | None = None,
    *,
    responder: Certificate | None = None,
    key_of: str = "responder",
    nonce: bytes | None = None,
    this_update: datetime = NOW - HOUR,
    next_update: datetime = NOW + HOUR,
) -> bytes:
    """The answer of the delegated responder, or of whoever is said."""
    who = responder or RESPONDER.sign()
    single = SingleResponse(cert_id(certificate, issuer), status or Good(), this_update, next_update)
    tbs = encode_tbs([single], responder_key_hash=key_identifier_of(who.spki), produced_at=this_update, nonce=nonce)
    return assemble(tbs, ALGORITHM, signer(key_of).sign(tbs, ALGORITHM), who.der)


def answer(*arguments: object, **settings: object) -> OcspAnswer:
    """As `answer_der`, parsed."""
    return parse_answer(answer_der(*arguments, **settings))  # type: ignore[arg-type]


__all__ = ["NOW", "RESPONDER", "ROOT", "answer", "answer_der", "crl", "issuing_point", "named"]
