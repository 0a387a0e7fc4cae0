"""The key policy with a list that the operator brought."""

import hashlib

import pytest

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.blocklist import DEFAULT_BLOCKLIST
from greatseal.domain.policy import KeyPolicy
from greatseal.kernel.errors import MalformedCsr


def test_a_key_on_the_operators_list_is_refused_and_others_are_not() -> None:
    listed = keypair.load_private(keypair.generate(KeyAlgorithm.RSA_2048)).public_key()
    other = keypair.load_private(keypair.generate(KeyAlgorithm.RSA_2048)).public_key()
    printed = f"Modulus={listed.public_numbers().n:X}\n".encode()
    line = hashlib.sha1(printed).hexdigest()[20:]
    policy = KeyPolicy(DEFAULT_BLOCKLIST.with_openssl_blacklist(f"# a list\n{line}\n"))
    with pytest.raises(MalformedCsr, match="refused"):
        policy.check(keypair.encode_public(listed))
    policy.check(keypair.encode_public(other))
    KeyPolicy().check(keypair.encode_public(listed))
