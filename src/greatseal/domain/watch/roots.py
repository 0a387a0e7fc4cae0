"""A finding whenever a root CA issues, its own certificate included (workflows.md 5)."""

from greatseal.domain.authorities import Issuance, Registry
from greatseal.domain.authorities.model import Kind
from greatseal.domain.findings import Findings, Hubs
from greatseal.domain.watch import papers
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import Refusal
from greatseal.storage import Storage, Tx


class RootWatch:
    """Answers the job that issuance writes in the transaction of each certificate of a root."""

    def __init__(
        self, *, storage: Storage, registry: Registry, issuance: Issuance, findings: Findings, hubs: Hubs
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._issuance = issuance
        self._findings = findings
        self._hubs = hubs

    def look_at(self, certificate_arn: str) -> None:
        """Makes the finding, in the account and region of the CA. Repeating it changes nothing."""
        authority_arn = certificate_arn.partition("/certificate/")[0]
        place = Arn.parse(authority_arn)
        try:
            authority = self._registry.describe(authority_arn)
        except Refusal:
            return  # purged since
        if authority.kind is not Kind.ROOT:
            return

        def work(tx: Tx) -> None:
            issued_at = self._issuance.issued_at(tx, authority.id, certificate_arn)
            if issued_at is not None and self._hubs.is_open(tx, place.account, place.region):
                document = papers.root_issued(
                    account=place.account,
                    region=place.region,
                    authority_arn=authority_arn,
                    certificate_arn=certificate_arn,
                    at=issued_at,
                )
                self._findings.hold(tx, place.account, place.region, document)

        self._storage.transact(work)
