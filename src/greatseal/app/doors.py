"""The doors over the rooms."""

from collections.abc import Callable, Mapping

import greatseal
from greatseal.app.observing import Observed
from greatseal.app.rooms import Rooms
from greatseal.app.tracing import Tracing
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.aws import events, kms
from greatseal.aws.acm import CertificateManager
from greatseal.aws.acm_pca import PrivateCa
from greatseal.aws.catalogue import NOT_YET, QUICK, READING, SERVICES
from greatseal.aws.cloudtrail import CloudTrail
from greatseal.aws.create_session import PATH as SESSIONS_PATH
from greatseal.aws.create_session import CreateSession
from greatseal.aws.door import AwsDoor, OperationFunction
from greatseal.aws.iam import IdentityManagement
from greatseal.aws.organizations import OrganizationsService
from greatseal.aws.protocol.models import load_service, load_services
from greatseal.aws.protocol.sigv4 import Unusable
from greatseal.aws.ram import ResourceShares
from greatseal.aws.ram_reading import SharingListings
from greatseal.aws.ram_receiving import ReceivedInvitations
from greatseal.aws.rolesanywhere import RolesAnywhere
from greatseal.aws.s3 import ObjectStorage
from greatseal.aws.securityhub import SecurityHub
from greatseal.aws.sns import Notifications
from greatseal.aws.sqs import Queues
from greatseal.aws.sts import SecurityTokens
from greatseal.aws.throttling import Throttle
from greatseal.domain.access import Credential, SessionExpired, SessionInvalid
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.edge.mounts import Mount, Mounts
from greatseal.kernel.caller import Caller
from greatseal.web import acme_challenges, approvals, ct, health, lists, objects, ocsp, repository, topics, trust, tsa


def aws_door(
    rooms: Rooms, regions: Callable[[str], bool], tracing: Tracing | None = None, throttle: Throttle | None = None
) -> AwsDoor:
    """The door of the AWS wire. Without `throttle` nobody asks too often."""
    made: Callable[..., AwsDoor] = AwsDoor if tracing is None else tracing.door
    pca = PrivateCa(
        access=rooms.access,
        registry=rooms.registry,
        lifecycle=rooms.lifecycle,
        issuance=rooms.issuance,
        permissions=rooms.permissions,
        revocations=rooms.revocations,
        reports=rooms.reports,
        policies=rooms.sharing.policies,
        sharing=rooms.sharing.listings,
        clock=rooms.clock,
        tokens=rooms.tokens,
    )
    organizations = OrganizationsService(access=rooms.access, organizations=rooms.organizations, tokens=rooms.tokens)
    trail = CloudTrail(access=rooms.access, audit=rooms.audit)
    sts = SecurityTokens(access=rooms.access, assuming=rooms.assuming, audit=rooms.audit)
    return made(
        services=load_services(list(SERVICES)),
        implementations={
            "acm": _certificates(rooms),
            "acm-pca": pca.operations(),
            "sts": sts.operations(),
            "iam": IdentityManagement(rooms.access, rooms.administration).operations(),
            "kms": kms.operations(access=rooms.access, keys=rooms.managed_keys, audit=rooms.audit, tokens=rooms.tokens),
            "cloudtrail": trail.operations(),
            "events": events.operations(access=rooms.access, room=rooms.bus.buses),
            "organizations": organizations.operations(),
            "ram": _sharing(rooms),
            "s3": _objects(rooms),
            "sns": _topics(rooms),
            "sqs": _queues(rooms),
            "securityhub": SecurityHub(
                access=rooms.access, findings=rooms.watching.findings, hubs=rooms.watching.hubs
            ).operations(),
            "rolesanywhere": RolesAnywhere(access=rooms.access, anywhere=rooms.anywhere).operations(),
        },
        not_yet=NOT_YET,
        credentials=rooms.access.find,
        sessions=lambda access_key_id, token: _session(rooms, access_key_id, token),
        regions=regions,
        clock=rooms.clock,
        trail=rooms.audit,
        glance=rooms.access.at_one_glance,
        throttle=throttle,
    )


def _certificates(rooms: Rooms) -> dict[str, OperationFunction]:
    return CertificateManager(
        access=rooms.access,
        inventory=rooms.inventory,
        requests=rooms.requests,
        renewing=rooms.renewals.renewing,
        imports=rooms.imports,
        exports=rooms.exports,
        validations=rooms.publics.validations,
        clock=rooms.clock,
        tokens=rooms.tokens,
    ).operations()


def _objects(rooms: Rooms) -> dict[str, OperationFunction]:
    room = rooms.objects
    return ObjectStorage(
        access=rooms.access,
        buckets=room.buckets,
        objects=room.objects,
        listings=room.listings,
        tokens=rooms.tokens,
    ).operations()


def _queues(rooms: Rooms) -> dict[str, OperationFunction]:
    room = rooms.notices
    return Queues(access=rooms.access, room=room.queues, endpoint=lambda: room.addresses.api).operations()


def _topics(rooms: Rooms) -> dict[str, OperationFunction]:
    def outsider(topic_arn: str) -> Caller:
        return rooms.notices.outsider(topic_arn, "ConfirmSubscription", "")

    return Notifications(access=rooms.access, room=rooms.notices.topics, outsider=outsider).operations()


def _answers_to_topics(rooms: Rooms) -> Mount:
    notices = rooms.notices
    door = topics.TopicsDoor(room=notices.topics, certificate=notices.seal.certificate, outsider=notices.outsider)
    return Mount(topics.PREFIX, "topics", door.handle, body_bytes=topics.MAX_BODY)


def _logs(rooms: Rooms) -> Mount:
    return Mount(ct.PREFIX, "ct", ct.handler(rooms.transparency.logs, rooms.clock), body_bytes=ct.MAX_BODY)


def _approvals(rooms: Rooms) -> Mount:
    room = rooms.publics.validating
    door = approvals.ApprovalsDoor(approvals=room.approvals, approver=room.approver)
    return Mount(approvals.PREFIX, "approvals", door.handle, body_bytes=approvals.MAX_BODY)


def _timestamps(rooms: Rooms) -> list[Mount]:
    room = rooms.timestamps
    if not room.enabled:
        return []
    return [Mount(tsa.PATH, "tsa", tsa.TsaDoor(room.stamping, room.authority.root).handle, body_bytes=tsa.MAX_BODY)]


def _sharing(rooms: Rooms) -> dict[str, OperationFunction]:
    sharing = rooms.sharing
    owners = ResourceShares(
        access=rooms.access, shares=sharing.shares, invitations=sharing.invitations, clock=rooms.clock
    )
    receivers = ReceivedInvitations(
        access=rooms.access, invitations=sharing.invitations, clock=rooms.clock, tokens=rooms.tokens
    )
    readers = SharingListings(
        access=rooms.access,
        listings=sharing.listings,
        shares=sharing.shares,
        policies=sharing.policies,
        clock=rooms.clock,
        tokens=rooms.tokens,
    )
    return {**owners.operations(), **receivers.operations(), **readers.operations()}


def _session(rooms: Rooms, access_key_id: str, token: str) -> Credential | Unusable:
    try:
        return rooms.sessions.open(access_key_id, token)
    except SessionExpired:
        return Unusable.EXPIRED
    except SessionInvalid:
        return Unusable.BAD_TOKEN


def secure_mounts(rooms: Rooms, door: AwsDoor, observed: Observed | None = None) -> Mounts:
    """What the HTTPS listener serves. Without `observed` it never says that it is ready."""
    others = (
        _certificate_sessions(rooms),
        _answers_to_topics(rooms),
        _approvals(rooms),
        _logs(rooms),
        *_health(observed),
    )
    return Mounts([_aws(rooms, door), *others])


def _aws(rooms: Rooms, door: AwsDoor) -> Mount:
    quick = QUICK | READING if rooms.storage.dialect == "sqlite" else QUICK

    def is_quick(request: HttpRequest) -> bool:
        return request.header("x-amz-target") in quick

    return Mount("/", "aws", door.handle, together=door.handle_together, is_quick=is_quick)


def plain_mounts(
    rooms: Rooms, counted: WorkerMetrics, door: AwsDoor | None, observed: Observed | None = None
) -> Mounts:
    """What the plain listener serves; the AWS API only when the operator asked for it. `observed` as above."""
    answers = ocsp.OcspDoor(rooms.ocsp, rooms.clock)
    mounts = [
        *_health(observed),
        Mount("/metrics", "metrics", _metrics(counted.text if observed is None else observed.text), inline=True),
        Mount(ocsp.PATH, "ocsp", answers.handle, body_bytes=ocsp.MAX_BODY, ready=answers.ready),
        # An object named like a list is the object; where there is none, a CustomPath may begin with `s3`.
        Mount(objects.PREFIX, "objects", lists.behind(objects.handler(rooms.objects, rooms.clock), rooms.publications)),
        Mount(repository.PREFIX, "repository", repository.handler(rooms.repository)),
        Mount(trust.PREFIX, "trust", trust.handler(rooms.trusting.repository)),
        *_timestamps(rooms),
        _logs(rooms),
        _answers_to_topics(rooms),
        _approvals(rooms),
        Mount(approvals.PAGES, "validation", approvals.pages(rooms.publics.validating.validation.tokens)),
    ]
    if rooms.upstream is not None:
        file = rooms.upstream.challenges.file
        mounts.append(Mount(acme_challenges.PREFIX, "acme-challenge", acme_challenges.handler(file)))
    mounts += [
        Mount(taken, "crl", lists.handler(rooms.publications, other), pattern=lists.NAME)
        for taken, other in (
            ("/healthz", None),
            ("/readyz", None),
            ("/metrics", None),
            (ocsp.PATH, answers.handle),
            (repository.PREFIX, None),
            (trust.PREFIX, None),
            (tsa.PATH, None),
            (ct.PREFIX, None),
            (topics.PREFIX, None),
            (approvals.PREFIX, None),
            (approvals.PAGES, None),
            (SESSIONS_PATH, None),
        )
    ]
    # Lists may be in any folder (CustomPath) and OCSP under a name of its own, so all doors share the root.
    rest = ocsp.at_root(answers.handle, None if door is None else door.handle)
    root = lists.handler(rooms.publications, rest)
    mounts.append(Mount("/", "crl" if door is None else "aws", root, ready=answers.ready_at_root))
    return Mounts(mounts if door is None else [*mounts, _certificate_sessions(rooms)])


def sessions_door(rooms: Rooms) -> CreateSession:
    """The door where certificates are exchanged for sessions."""
    return CreateSession(vending=rooms.anywhere.vending, service=load_service("rolesanywhere"), clock=rooms.clock)


def _certificate_sessions(rooms: Rooms) -> Mount:
    return Mount(SESSIONS_PATH, "sessions", sessions_door(rooms).handle)


def _health(observed: Observed | None) -> list[Mount]:
    version = greatseal.__version__

    def found() -> Mapping[str, str]:
        return observed.readiness.found() if observed is not None else {"service": "not started"}

    return [
        Mount("/healthz", "health", health.live(version), inline=True),
        Mount("/readyz", "health", health.ready(found, version), inline=True),
    ]


def _metrics(text: Callable[[], bytes]) -> Callable[[HttpRequest], HttpResponse]:
    headers = ((b"content-type", b"text/plain; version=1.0.0; charset=utf-8"),)
    return lambda request: HttpResponse(200, headers, text())
