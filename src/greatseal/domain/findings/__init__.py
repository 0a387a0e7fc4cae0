"""The room of findings: what somebody should look at, in the AWS Security Finding Format (workflows.md 5).

Findings come from outside, by BatchImportFindings, and from our own watchers. The same identifier and product mean the
same finding, which is updated; what a person decided about it (workflow, note, severity) outlives updates. Ruled by
docs/findings.md. Calls access' neighbours below it: events, audit, tags.
"""

from greatseal.domain.findings.hub import Hubs
from greatseal.domain.findings.service import Findings

__all__ = ["Findings", "Hubs"]
