"""Audit reports: every certificate of a CA as an object in a bucket of its owner (acm-pca.md 2.13, 2.14, 11)."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import report
from greatseal.domain.authorities.model import Authority, require
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.report import AuditReport, ReportFormat, ReportStatus, Revoked
from greatseal.domain.authorities.store import authorities, journal
from greatseal.domain.authorities.store import reports as store
from greatseal.domain.events import Event, Events
from greatseal.domain.objects import Deliverer
from greatseal.domain.objects.model import OWNER_FULL_CONTROL
from greatseal.domain.objects.refusals import NoSuchBucket
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InProgress, InvalidArgument, NotFound, Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, queue

log = logging.getLogger(__name__)

REPORT_JOB = "audit-report"
SERVICE = "acm-pca.amazonaws.com"
INTERVAL = timedelta(minutes=30)

_RUN = 1000

RevocationsOf = Callable[[Tx, str, Collection[str]], Mapping[str, Revoked]]
"""The revocations among some serials of a CA. The room of revocation is above this one, so it is passed in."""


class AuditReports:
    """Asks for reports, makes them in the background, and tells how they went."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        deliveries: Deliverer,
        revocations_of: RevocationsOf,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        interval: timedelta = INTERVAL,
    ) -> None:
        """`interval` must pass between two reports of a CA; one that failed does not count."""
        self._storage = storage
        self._registry = registry
        self._deliveries = deliveries
        self._revocations_of = revocations_of
        self._events = events
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._interval = interval

    def create(self, caller: Caller, arn: str, *, bucket: str, form: ReportFormat) -> AuditReport:
        """A new report, which is written soon. Raises InvalidState, InvalidArgument for the bucket, InProgress."""
        authority = self._registry.describe(arn)
        require(authority, "report", self._clock.now())
        report_id = new_uuid(self._entropy)
        key = f"audit-report/{authority.id}/{report_id}.{form.value}"
        self._check_bucket(authority, bucket, key)

        def work(tx: Tx) -> AuditReport:
            now = self._clock.now()
            found = self._registry.load(tx, arn)
            require(found, "report", now)
            before = store.newest(tx, found.id)
            if before is not None and now < before.created_at + self._interval:
                minutes = int(self._interval.total_seconds() // 60)
                raise InProgress(f"An audit report can be created for {arn} once every {minutes} minutes.")
            made = AuditReport(report_id, found.id, bucket, key, form, ReportStatus.CREATING, now)
            store.add(tx, made)
            queue.enqueue(tx, kind=REPORT_JOB, key=report_id, payload={"report_id": report_id}, due=now)
            self._audit.record(tx, caller, arn, response={"audit_report_id": report_id, "s3_key": key})
            return made

        return self._storage.transact(work)

    def describe(self, arn: str, report_id: str) -> AuditReport:
        """A report of this CA. Raises NotFound."""

        def work(tx: Tx) -> AuditReport:
            authority = self._registry.load(tx, arn)
            found = store.find(tx, report_id)
            if found is None or found.authority_id != authority.id:
                raise NotFound(f"Could not find audit report {report_id} of {arn}")
            return found

        return self._storage.read(work)

    def carry_out(self, report_id: str) -> None:
        """Writes a report that waits. Repeating it is harmless. Raises what another attempt may mend."""
        wanted = self._storage.read(lambda tx: store.find(tx, report_id))
        if wanted is None or wanted.status is not ReportStatus.CREATING:
            return
        authority = self._storage.read(lambda tx: authorities.find(tx, wanted.authority_id))
        if authority is None:
            return
        try:
            self._deliveries.put_as_service(
                wanted.bucket,
                wanted.key,
                report.written(wanted.form, self._rows(authority.id)),
                service_principal=SERVICE,
                source_account=authority.account,
                source_arn=authority.arn,
                acl=OWNER_FULL_CONTROL,
                content_type=wanted.form.content_type,
            )
        except Refusal as refusal:
            # The owner has changed the bucket since: trying again would not help.
            log.warning("audit report %s cannot be written: %s", report_id, refusal.message)
            self._settle(authority, report_id, ReportStatus.FAILED)
        else:
            self._settle(authority, report_id, ReportStatus.SUCCESS)

    def give_up(self, report_id: str) -> None:
        """Ends a report that no attempt could write."""
        wanted = self._storage.read(lambda tx: store.find(tx, report_id))
        authority = self._storage.read(lambda tx: authorities.find(tx, wanted.authority_id)) if wanted else None
        if authority is not None:
            self._settle(authority, report_id, ReportStatus.FAILED)

    def _check_bucket(self, authority: Authority, bucket: str, key: str) -> None:
        try:
            self._deliveries.check(
                bucket,
                key,
                service_principal=SERVICE,
                source_account=authority.account,
                source_arn=authority.arn,
                acl=OWNER_FULL_CONTROL,
            )
        except NoSuchBucket:
            raise InvalidArgument(f"The S3 bucket {bucket} does not exist.") from None
        except Refusal as refusal:
            text = f"The S3 bucket {bucket} cannot be written to. Check its bucket policy. {refusal.message}"
            raise InvalidArgument(text) from None

    def _rows(self, authority_id: str) -> Iterator[report.Row]:
        """Every issued certificate by serial number, a run at a time: a report of any length needs little memory."""
        after = ""
        while True:

            def work(tx: Tx, after: str = after) -> list[report.Row]:
                entries = journal.issued(tx, authority_id, after=after, limit=_RUN)
                revoked = self._revocations_of(tx, authority_id, [entry.serial for entry in entries])
                return [report.row(entry, revoked.get(entry.serial)) for entry in entries]

            rows = self._storage.read(work)
            yield from rows
            if len(rows) < _RUN:
                return
            after = rows[-1]["certificateArn"].rpartition("/")[2]

    def _settle(self, authority: Authority, report_id: str, status: ReportStatus) -> None:
        def work(tx: Tx) -> None:
            if store.settle(tx, report_id, status):
                result = "success" if status is ReportStatus.SUCCESS else "failure"
                self._events.emit(
                    tx,
                    Event(
                        "aws.acm-pca",
                        "ACM Private CA Audit Report Generation",
                        authority.account,
                        authority.region,
                        (authority.arn, report_id),
                        {"result": result},
                    ),
                )

        self._storage.transact(work)
