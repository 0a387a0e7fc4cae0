"""Which public keys are certified."""

from dataclasses import dataclass

from greatseal.crypto.blocklist import DEFAULT_BLOCKLIST, Blocklist
from greatseal.crypto.weakness import weaknesses
from greatseal.kernel.errors import MalformedCsr


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The rules about keys, with the list of known keys that the operator brought."""

    blocklist: Blocklist = DEFAULT_BLOCKLIST

    def check(self, spki: bytes) -> None:
        """Raises MalformedCsr with every reason why the key (SubjectPublicKeyInfo DER) must not be certified.

        The real service copies the key unchecked (acm-pca.md section 5); a certificate for a key that
        others can compute is a certificate for the wrong party.
        """
        found = weaknesses(spki, blocklist=self.blocklist)
        if found:
            raise MalformedCsr("The public key of the certificate signing request is refused. " + " ".join(found))
