"""OCSP: what became of a certificate, said in a signed answer, at once and on every node.

Ruled by docs/ocsp.md. An answer is made from the journal and the table of revocations. It may be given out again while
a look at the CA every so often shows that nothing was revoked. Calls authorities, keys and audit.
"""

from greatseal.domain.revocation.ocsp.cache import Memory
from greatseal.domain.revocation.ocsp.model import Answer, Ground
from greatseal.domain.revocation.ocsp.responders import Responders
from greatseal.domain.revocation.ocsp.service import Ocsp

__all__ = ["Answer", "Ground", "Memory", "Ocsp", "Responders"]
