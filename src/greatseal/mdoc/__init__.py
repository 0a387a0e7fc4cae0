"""Mobile documents of ISO/IEC 18013-5, as functions of their arguments: issued, and verified as a reader does.

An issuer says `prepare(order, …)`, has `Prepared.to_be_signed` signed wherever its key lives, and `finish`es the
document. A reader says `verify(document, question)` and gets `Accepted` or one exact `Refused`. What travels is CBOR;
digests cover the octets that were received. Rules: ISO/IEC 18013-5 clauses 7.2, 8.3.2.1.2,
9.1.2 and 9.3.1, annex B; docs/mdl.md.
"""

from greatseal.mdoc.elements import DOC_TYPE, NAMESPACE, ElementRefused
from greatseal.mdoc.issuing import CannotIssue, Order, Prepared, prepare
from greatseal.mdoc.reading import MalformedDocument, Presented, read_documents
from greatseal.mdoc.verify import Accepted, Code, Question, Refused, Verdict, verify

__all__ = [
    "DOC_TYPE",
    "NAMESPACE",
    "Accepted",
    "CannotIssue",
    "Code",
    "ElementRefused",
    "MalformedDocument",
    "Order",
    "Prepared",
    "Presented",
    "Question",
    "Refused",
    "Verdict",
    "prepare",
    "read_documents",
    "verify",
]
