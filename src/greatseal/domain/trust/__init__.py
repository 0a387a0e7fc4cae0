"""Whom to trust: certificates judged against anchors, with what is known or can be fetched about them.

`verify` is for whoever has to decide about a certificate: the command line, and trust stores for mutual TLS.
"""

from greatseal.domain.trust.ports import Fetcher, NotFetched
from greatseal.domain.trust.service import Fetched, Later, Question, Report, verify

__all__ = ["Fetched", "Fetcher", "Later", "NotFetched", "Question", "Report", "verify"]
