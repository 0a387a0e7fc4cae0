"""Which public keys are certified."""

from greatseal.crypto.weakness import weaknesses
from greatseal.kernel.errors import MalformedCsr


def check_key(spki: bytes) -> None:
    """Raises MalformedCsr with every reason why the key (SubjectPublicKeyInfo DER) must not be certified.

    The real service copies the key unchecked (acm-pca.md section 5); a certificate for a key that
    others can compute is a certificate for the wrong party.
    """
    found = weaknesses(spki)
    if found:
        raise MalformedCsr("The public key of the certificate signing request is refused. " + " ".join(found))
