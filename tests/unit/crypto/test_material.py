"""Material is of its spec, comes back as it went, and nothing else is taken for it."""

import base64
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from opened_keys import PAIRS, made, private
from wycheproof import ROOT

from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.material import load
from greatseal.crypto.opened import open_key, open_public
from greatseal.kernel.secret import Secret

SECRETS = [spec for spec in KeySpec if spec.secret_size is not None]


def pkcs8(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("spec", KeySpec, ids=lambda spec: spec.name)
def test_material_loads_again(spec):
    material = made(spec)
    loaded = load(spec, material.secret)
    assert loaded.spki == material.spki
    assert loaded.secret.reveal() == material.secret.reveal()
    assert (material.spki is None) is (spec in SECRETS)


@pytest.mark.parametrize("spec", SECRETS, ids=lambda spec: spec.name)
def test_a_secret_has_exactly_its_length(spec):
    assert made(spec).secret.reveal() == bytes(range(spec.secret_size))
    for size in (0, spec.secret_size - 1, spec.secret_size + 1):
        with pytest.raises(UnusableKey, match="bytes"):
            load(spec, Secret(bytes(size)))


@pytest.mark.parametrize("spec", PAIRS, ids=lambda spec: spec.name)
def test_a_key_of_another_spec_is_refused(spec):
    for other in PAIRS:
        if other is not spec:
            with pytest.raises(UnusableKey):
                load(spec, made(other).secret)
            with pytest.raises(UnusableKey):
                open_public(spec, made(other).spki)


@pytest.mark.parametrize("spec", PAIRS, ids=lambda spec: spec.name)
def test_octets_around_a_key_are_refused(spec):
    secret = made(spec).secret.reveal()
    for octets in (secret + b"\0", secret[:-1], b"\0" + secret, b"", made(spec).spki):
        with pytest.raises(UnusableKey):
            load(spec, Secret(octets))
    with pytest.raises(UnusableKey):
        open_public(spec, made(spec).spki + b"\0")


@pytest.mark.parametrize("spec", [KeySpec.RSA_2048, KeySpec.ECC_NIST_P384], ids=lambda spec: spec.name)
def test_older_encodings_become_pkcs8(spec):
    older = private(spec).key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert load(spec, Secret(older)).secret.reveal() == made(spec).secret.reveal()


def test_an_encrypted_key_is_refused():
    encrypted = private(KeySpec.ECC_NIST_P256).key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    )
    with pytest.raises(UnusableKey):
        load(KeySpec.ECC_NIST_P256, Secret(encrypted))


def test_an_exponent_other_than_65537_is_refused():
    key = rsa.generate_private_key(public_exponent=3, key_size=2048)
    with pytest.raises(UnusableKey):
        load(KeySpec.RSA_2048, Secret(pkcs8(key)))


@pytest.mark.parametrize("field", ["d", "p", "q", "dmp1", "dmq1", "iqmp"])
def test_rsa_numbers_that_do_not_agree_are_refused(field):
    secret = made(KeySpec.RSA_2048).secret
    number = getattr(open_key(KeySpec.RSA_2048, secret).key.private_numbers(), field)
    size = (number.bit_length() + 7) // 8
    changed = secret.reveal().replace(number.to_bytes(size, "big"), (number ^ 4).to_bytes(size, "big"))
    assert changed != secret.reveal()
    with pytest.raises(UnusableKey):
        load(KeySpec.RSA_2048, Secret(changed))


@pytest.mark.parametrize(
    ("spec", "curve"), [(KeySpec.ECC_NIST_P256, ec.SECP256R1), (KeySpec.ECC_SECG_P256K1, ec.SECP256K1)]
)
def test_a_point_that_is_not_the_scalar_s_is_refused(spec, curve):
    ours, other = (ec.generate_private_key(curve()) for _ in range(2))

    def point(key) -> bytes:
        return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    changed = pkcs8(ours).replace(point(ours), point(other))
    assert changed != pkcs8(ours)
    with pytest.raises(UnusableKey):
        load(spec, Secret(changed))


# The examples of RFC 9881 and RFC 9935: seed, both forms, and pairs that do not belong together.
EXAMPLES = sorted(ROOT.glob("PublicKey/ML*/rfc*.pem"))


def example(path) -> bytes:
    return base64.b64decode("".join(line for line in path.read_text().splitlines() if not line.startswith("-----")))


@pytest.mark.parametrize(
    "path", [path for path in EXAMPLES if path.stem.endswith(("_seed", "_both"))], ids=lambda p: p.stem
)
def test_seeds_with_and_without_the_expanded_form(path):
    name = re.search(r"ml_(dsa|kem)_\d+", path.stem)[0]
    if name == "ml_kem_512":
        assert name.upper() not in KeySpec.__members__
        return
    material = load(KeySpec[name.upper()], Secret(example(path)))
    assert material.spki == example(path.with_name(f"{path.stem.rpartition('_')[0]}_public.pem"))
    assert len(material.secret.reveal()) == {"dsa": 54, "kem": 86}[name[3:6]]


@pytest.mark.parametrize(
    "path",
    [path for path in EXAMPLES if "_expanded" in path.stem or "_inconsistent" in path.stem],
    ids=lambda p: p.stem,
)
def test_expanded_alone_and_inconsistent_keys_are_refused(path):
    name = re.search(r"ml_(dsa|kem)_\d+", path.stem)[0].upper()
    with pytest.raises(UnusableKey):
        load(KeySpec.__members__.get(name, KeySpec.ML_KEM_768), Secret(example(path)))


# Offsets into the PKCS#8 DER: rho and tr are at the front of an expanded ML-DSA key, z at the end of one of ML-KEM.
@pytest.mark.parametrize(
    ("name", "spec", "at"),
    [
        ("MLDSA/rfc9881_ml_dsa_87_both", KeySpec.ML_DSA_87, 75),
        ("MLDSA/rfc9881_ml_dsa_87_both", KeySpec.ML_DSA_87, 150),
        ("MLKEM/rfc9935_ml_kem_1024_both", KeySpec.ML_KEM_1024, -3),
        ("MLKEM/rfc9935_ml_kem_1024_both", KeySpec.ML_KEM_1024, -100),
    ],
)
def test_both_forms_must_agree(name, spec, at):
    encoded = bytearray(example(ROOT / "PublicKey" / f"{name}.pem"))
    encoded[at] ^= 1
    with pytest.raises(UnusableKey, match="different keys"):
        load(spec, Secret(bytes(encoded)))


def test_the_identifier_of_both_forms_is_read():
    encoded = example(ROOT / "PublicKey/MLDSA/rfc9881_ml_dsa_65_both.pem")
    other = encoded.replace(bytes.fromhex("608648016503040312"), bytes.fromhex("608648016503040311"))
    with pytest.raises(UnusableKey):
        load(KeySpec.ML_DSA_65, Secret(other))


@given(st.binary(max_size=300), st.sampled_from(PAIRS))
def test_hostile_octets_are_refused_in_our_words(octets, spec):
    for attempt in (lambda: load(spec, Secret(octets)), lambda: open_public(spec, octets)):
        with pytest.raises(UnusableKey):
            attempt()


@settings(deadline=None)  # RSA takes its time
@given(st.data())
def test_damaged_keys_never_raise_anything_else(data):
    spec = data.draw(st.sampled_from(PAIRS))
    for octets, opening in (
        (made(spec).secret.reveal(), lambda damaged: load(spec, Secret(damaged))),
        (made(spec).spki, lambda damaged: open_public(spec, damaged)),
    ):
        damaged = bytearray(octets)
        damaged[data.draw(st.integers(0, min(len(octets), 80) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            opening(bytes(damaged))
        except UnusableKey:
            continue


def test_material_prints_nothing_of_the_key():
    material = made(KeySpec.ECC_NIST_P256)
    assert repr(material).startswith("Material(spec=<KeySpec.ECC_NIST_P256")
    assert "secret=Secret(…)" in repr(material)
