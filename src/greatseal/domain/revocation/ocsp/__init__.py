"""OCSP: what became of a certificate, said in a signed answer, at once and on every node.

Ruled by docs/ocsp.md. An answer is made from the journal and the table of revocations each time it is asked for; what
is cached is the signature. Calls authorities, keys and audit.
"""

from greatseal.domain.revocation.ocsp.model import Answer
from greatseal.domain.revocation.ocsp.responders import Responders
from greatseal.domain.revocation.ocsp.service import Ocsp

__all__ = ["Answer", "Ocsp", "Responders"]
