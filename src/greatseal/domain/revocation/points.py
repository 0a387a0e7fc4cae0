"""Which list a certificate belongs to, and what it says about it (acm-pca.md 10.2, 10.6). The port of authorities."""

from functools import partial

from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.ports import RevocationAddresses
from greatseal.domain.revocation.lists import ListState, Pace, folder_of, host_of, is_published, key_of
from greatseal.domain.revocation.store import deltas as delta_store
from greatseal.domain.revocation.store import lists as list_store
from greatseal.domain.revocation.store.marks import CHANGED
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Tx, queue

PUBLISH_JOB = "publish-crl"
"""The job that publishes one list; its key is the id of the list."""
DELTA_JOB = "publish-delta-crl"
"""The job that publishes the delta to a list; its key is the id of the list, too."""

# An entry has 51 octets or fewer, so a part stays below a megabyte even if each of its certificates is revoked.
PART_SIZE = 16_000
# Certificates are counted by a sample of their serial numbers, because a counter that every issuance writes would
# make them wait for each other. The estimate is off by a thousand, the room that is left is nearly four.
_SAMPLE = 64


class DistributionPoints:
    """Addresses of lists and of the OCSP responder.

    `base_url` is where the plain listener is reached from outside, without a slash at its end. It may be set until
    the first certificate is issued, because a listener learns its port late.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        base_url: str,
        pace: Pace | None = None,
        part_size: int = PART_SIZE,
        sample: int = _SAMPLE,
        issuers_in_certificates: bool = False,
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self.base_url = base_url
        self._pace = pace or Pace()
        self._part_size = part_size
        self._sample = sample
        self._issuers_in_certificates = issuers_in_certificates
        self._complete_lists: set[str] = set()

    def bind(self, tx: Tx, authority: Authority, serial: int) -> RevocationAddresses:
        """Chooses the list that a new certificate belongs to, and makes it when it is the first one."""
        crl = authority.revocation.crl
        ocsp_url = self.ocsp_url(authority)
        issuers_url = self.certificate_url(authority) if self._issuers_in_certificates else None
        if not crl.enabled:
            return RevocationAddresses(ocsp_url=ocsp_url, issuers_url=issuers_url)
        if crl.partitioned:
            part = self._part(tx, authority, serial)
            url, partition = part.url, part.id
        else:
            url, partition = host_of(crl, self.base_url) + self._complete(tx, authority), None
        return RevocationAddresses(None if crl.omit_extension else url, ocsp_url, partition, issuers_url)

    def ocsp_url(self, authority: Authority) -> str | None:
        """Where certificates of this CA say that OCSP requests go; None when it does not offer OCSP."""
        ocsp = authority.revocation.ocsp
        if not ocsp.enabled:
            return None
        # Behind a CNAME nothing is appended: its owner forwards the requests (acm-pca.md 10.6).
        return f"http://{ocsp.custom_cname}" if ocsp.custom_cname else f"{self.base_url}/ocsp/{authority.id}"

    def certificate_url(self, authority: Authority) -> str:
        """Where the certificate of this CA is, as a single one in DER (RFC 5280 section 4.2.2.1)."""
        return f"{self.base_url}/ca/{authority.id}.cer"

    def url_of(self, state: ListState, authority: Authority) -> str:
        """Where a list is, as certificates that are issued now say."""
        return state.url or host_of(authority.revocation.crl, self.base_url) + key_of(state, authority)

    def changed(self, tx: Tx, authority: Authority) -> None:
        """Looks at every list of a CA anew, because its state or its settings changed."""
        tx.announce(CHANGED)
        now = self._clock.now()
        if is_published(authority, now):
            for list_id in list_store.ids_of(tx, authority.id):
                list_store.set_due(tx, list_id, now)
                queue.enqueue(tx, kind=PUBLISH_JOB, key=list_id, payload={}, due=now)

    def revoked(self, tx: Tx, authority: Authority, partition: str | None) -> None:
        """A certificate was revoked: the lists that cover it are published soon."""
        now = self._clock.now()
        if is_published(authority, now):
            wanted = {authority.id} | ({partition} if partition else set())
            for list_id in list_store.existing(tx, wanted):
                self._follow(tx, list_id)

    def _follow(self, tx: Tx, list_id: str) -> None:
        """What was revoked is on a list soon: on the list itself, or on its next delta and later on both."""
        now = self._clock.now()
        soon = now + self._pace.delay
        if self._pace.deltas and delta_store.find(tx, list_id) is not None:
            queue.enqueue(tx, kind=DELTA_JOB, key=list_id, payload={}, due=soon)
            soon = now + self._pace.complete
        queue.enqueue(tx, kind=PUBLISH_JOB, key=list_id, payload={}, due=soon)

    def _complete(self, tx: Tx, authority: Authority) -> str:
        """The object name of the CA's complete list."""
        if authority.id not in self._complete_lists:
            if list_store.find(tx, authority.id) is None:
                self._add(tx, ListState(authority.id, authority.id))
            # Lists are never removed: one that is committed need not be looked for again.
            tx.on_commit(partial(self._complete_lists.add, authority.id))
        return f"{folder_of(authority, part=False)}{authority.id}.crl"

    def _part(self, tx: Tx, authority: Authority, serial: int) -> ListState:
        """The open part at the place that the settings name; the next one when it is full or there is none."""
        folder = folder_of(authority, part=True)
        place = host_of(authority.revocation.crl, self.base_url) + folder
        part = list_store.open_part(tx, authority.id, place)
        if part is None:
            new = new_uuid(self._entropy)
            part = ListState(new, authority.id, place, f"{place}{new}.crl", f"{folder}{new}.crl")
            self._add(tx, part)
        if serial % self._sample == 0:
            list_store.count_bound(tx, part, self._sample, full_at=self._part_size)
        return part

    def _add(self, tx: Tx, new: ListState) -> None:
        now = self._clock.now()
        list_store.add(tx, new, due=now)
        queue.enqueue(tx, kind=PUBLISH_JOB, key=new.id, payload={}, due=now)
