"""One key pair of each spec, made once: RSA keys take their time."""

from functools import cache

from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.material import Material, generate
from greatseal.crypto.opened import PrivateKeyHandle, PublicKeyHandle, open_key, open_public

PAIRS = [spec for spec in KeySpec if spec.secret_size is None]
SIGNING = [(spec, algorithm) for spec in KeySpec for algorithm in spec.signing_algorithms]


@cache
def made(spec: KeySpec) -> Material:
    return generate(spec, lambda size: bytes(range(size)))


@cache
def private(spec: KeySpec) -> PrivateKeyHandle:
    return open_key(spec, made(spec).secret)


@cache
def public(spec: KeySpec) -> PublicKeyHandle:
    spki = made(spec).spki
    assert spki is not None
    return open_public(spec, spki)
