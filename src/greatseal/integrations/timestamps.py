"""Timestamps from an authority over HTTP, for whoever signs (RFC 3161 section 3.4)."""

from greatseal.domain.signing.ports import StampFailed
from greatseal.domain.trust.ports import NotFetched
from greatseal.integrations.revocation_fetch import SafeFetcher
from greatseal.kernel.entropy import Entropy, SystemEntropy
from greatseal.x509 import cms
from greatseal.x509.cms import CmsError, Digest
from greatseal.x509.timestamp import Imprint, TimestampError, TimestampRequest, TimestampResponse, read_token

_LARGEST = 1 << 20
_SECONDS = 20.0


class HttpStamper:
    """Implements `domain.signing.ports.Stamper`. Threads may share it: each request has its own connection."""

    def __init__(self, url: str, *, digest: Digest = Digest.SHA512, entropy: Entropy | None = None) -> None:
        """The user names the authority, which may be inside the network."""
        self._url = url
        self._digest = digest
        self._entropy: Entropy = entropy or SystemEntropy()

    def stamp(self, signature: bytes) -> bytes:
        """A token (DER): over these octets, with our nonce, and signed by the certificate in it. Raises StampFailed."""
        imprint = Imprint.of(self._digest, signature)
        nonce = int.from_bytes(self._entropy.token_bytes(16), "big")
        request = TimestampRequest(imprint, nonce=nonce, certificates=True)
        try:
            fetcher = SafeFetcher(allow_private=True, timeout=_SECONDS, largest=_LARGEST)
            answer = fetcher.post(self._url, request.encode(), "application/timestamp-query")
            response = TimestampResponse.parse(answer)
            if response.token is None:
                said = "; ".join(response.texts) or f"status {response.status}, failure {response.failure}"
                raise TimestampError(f"it refused: {said[:200]}")
            signed, info = read_token(response.token)
            same = info.imprint.digest is self._digest and info.imprint.octets == imprint.octets
            if not same or info.nonce != nonce:
                raise TimestampError("its token is for another request")
            assert signed.content is not None
            digests = {digest: digest.of(signed.content) for digest in cms.wanted(signed)}
            cms.check(signed, signed.signers[0], cms.certificate_of(signed, signed.signers[0]), digests)
        except (NotFetched, TimestampError, CmsError) as error:
            raise StampFailed(f"no timestamp from {self._url}: {error}") from None
        return response.token
