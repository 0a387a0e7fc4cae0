"""CreateSession: temporary credentials for the holder of a trusted certificate (iam.md 11.2).

The door has checked that the request was signed with the certificate's key; here the certificate, the profile and
the role's trust policy are weighed, in this order.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec import structs

from greatseal.domain.access import Access, Credential, Identity, Question, Sessions
from greatseal.domain.access.service import role_at
from greatseal.domain.access.sessions import expiry, packed_size
from greatseal.domain.access.standing import of_service
from greatseal.domain.anywhere import attributes, paths
from greatseal.domain.anywhere.anchors import TrustAnchors
from greatseal.domain.anywhere.crls import read as read_crl
from greatseal.domain.anywhere.model import PRINCIPAL, Profile, SessionDenied, TrustAnchor, not_found
from greatseal.domain.anywhere.profiles import Profiles
from greatseal.domain.anywhere.store import resources as store
from greatseal.domain.anywhere.subjects import Subjects
from greatseal.domain.audit import Audit
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller, Session
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Refusal, ValidationFailed
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate

_ACTIONS = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
_SHORTEST_MAXIMUM = 3600


@dataclass(frozen=True, slots=True)
class Application:
    """A request for a session whose signature is good. `duration_seconds` None means the profile's."""

    certificate: Certificate
    intermediates: tuple[Certificate, ...]
    anchor_arn: str
    profile_arn: str
    role_arn: str
    duration_seconds: int | None = None
    session_name: str | None = None
    instance_properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trusted:
    """An application whose certificate leads to its anchor; the caller is in the anchor's account now."""

    caller: Caller
    anchor: TrustAnchor
    application: Application


@dataclass(frozen=True, slots=True)
class Vended:
    """The credentials and what they stand for; `packed_size` is in per cent."""

    credential: Credential
    token: str
    session: Session
    packed_size: int
    subject_arn: str


class Vending:
    """Hands out sessions and remembers to whom."""

    def __init__(
        self,
        *,
        storage: Storage,
        access: Access,
        sessions: Sessions,
        anchors: TrustAnchors,
        profiles: Profiles,
        subjects: Subjects,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._access = access
        self._sessions = sessions
        self._anchors = anchors
        self._profiles = profiles
        self._subjects = subjects
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def trust(self, caller: Caller, application: Application) -> Trusted:
        """Step one: the certificate. `caller` has the region that was signed for and no account yet.

        Raises NotFound for the anchor, SessionDenied for a disabled one, and UntrustedCertificate.
        """
        anchor = self._anchors.shelf.at(application.anchor_arn)
        if anchor is None or anchor.region != caller.region:
            raise not_found(application.anchor_arn)
        if not anchor.enabled:
            raise SessionDenied(f"The trust anchor {anchor.arn} is disabled.")
        self._check_certificate(anchor, application, self._clock.now())
        return Trusted(structs.replace(caller, account=anchor.account), anchor, application)

    def create(self, trusted: Trusted) -> Vended:
        """Step two: what its holder may have.

        Raises NotFound for the profile, SessionDenied, ValidationFailed for the duration and LimitExceeded for too
        many tags and policies.
        """
        now = self._clock.now()
        caller, anchor, application = trusted.caller, trusted.anchor, trusted.application
        profile = self._profile(trusted)
        try:
            role, session = self._session(caller, anchor, profile, application, now)
            name = self._name(profile, application)
            principal_id = f"{role.id}:{name}"
            arn = str(Arn(caller.partition, "sts", "", anchor.account, f"assumed-role/{role.name}/{name}"))
            credential, token = self._sessions.make(
                account=anchor.account, principal_arn=arn, principal_id=principal_id, session=session
            )
        except Refusal:
            self._storage.transact(self._seen(anchor, application, now, failed=True))
            raise
        seen = self._seen(anchor, application, now, failed=False)
        response = {
            "assumed_role_user": {"arn": arn, "assumed_role_id": principal_id},
            "source_identity": session.source_identity,
        }
        vended_to = structs.replace(caller, principal_arn=arn, principal_id=principal_id, session=session)

        def work(tx: Tx) -> str:
            subject_arn = seen(tx)
            self._audit.record(
                tx,
                vended_to,
                anchor.arn,
                profile.arn,
                application.role_arn,
                subject_arn,
                response=response,
                serial=str(application.certificate.serial),
                access_key_id=credential.access_key_id,
            )
            return subject_arn

        subject_arn = self._storage.transact(work)
        return Vended(credential, token, session, packed_size(session), subject_arn)

    def record_refusal(self, trusted: Trusted, *, code: str, message: str) -> None:
        """Writes a refused request to the trail of the anchor's account.

        Only the holders of trusted certificates get this far: a stranger could fill the trail otherwise.
        """
        wanted = trusted.application
        arns = wanted.anchor_arn, wanted.profile_arn, wanted.role_arn
        self._audit.record_call(trusted.caller, *arns, error_code=code, error_message=message)

    def _profile(self, trusted: Trusted) -> Profile:
        anchor, profile = trusted.anchor, self._profiles.shelf.at(trusted.application.profile_arn)
        if profile is None or (profile.account, profile.region) != (anchor.account, anchor.region):
            raise not_found(trusted.application.profile_arn)
        return profile

    def _check_certificate(self, anchor: TrustAnchor, application: Application, now: datetime) -> None:
        """Raises UntrustedCertificate."""
        paths.check_end_entity(application.certificate)
        certificates = self._anchors.certificates(anchor)
        path = paths.trusted_path(application.certificate, application.intermediates, certificates, now)
        lists = self._storage.read(lambda tx: store.enabled_crls(tx, anchor.arn))
        paths.check_not_revoked(path, [read_crl(each) for each in lists])

    def _session(
        self, caller: Caller, anchor: TrustAnchor, profile: Profile, application: Application, now: datetime
    ) -> tuple[Identity, Session]:
        """The role and the session that its trust policy allows. Raises SessionDenied and ValidationFailed."""
        if not profile.enabled:
            raise SessionDenied(f"The profile {profile.arn} is disabled.")
        identity = attributes.source_identity(application.certificate)
        tags = attributes.session_tags(application.certificate, profile.mappings)
        role_arn = application.role_arn
        role = self._storage.read(lambda tx: role_at(tx, role_arn))
        refused = SessionDenied(f"Unable to assume role for {role_arn}")
        # That a role does not exist is not told to somebody who may not assume it.
        if role is None or role.account != anchor.account or role_arn not in profile.role_arns:
            raise refused
        keys: dict[str, str | tuple[str, ...]] = {
            "aws:SourceArn": anchor.arn,
            "aws:SourceAccount": anchor.account,
            "sts:SourceIdentity": identity,
            "sts:RoleSessionName": self._name(profile, application),
            "aws:TagKeys": tuple(key for key, _ in tags),
            **{f"aws:PrincipalTag/{key}": value for key, value in tags},
            **{f"aws:RequestTag/{key}": value for key, value in tags},
        }
        service = of_service(PRINCIPAL)
        for action in _ACTIONS:
            if not self._access.verdict_for(service, caller, Question(action, role_arn, keys)).allowed:
                raise refused
        return role, Session(
            issuer_arn=role_arn,
            issuer_id=role.id,
            issued_at=now,
            expires_at=expiry(now, _duration(role, profile, application)),
            policies=(profile.session_policy,) if profile.session_policy else (),
            policy_arns=profile.managed_policy_arns,
            tags=tags,
            source_identity=identity,
        )

    def _name(self, profile: Profile, application: Application) -> str:
        """The session's name: what was asked for, if the profile lets one ask, or the serial number in hexadecimal."""
        if application.session_name is None:
            serial = f"{application.certificate.serial:x}"
            return serial if len(serial) % 2 == 0 else f"0{serial}"
        if not profile.accepts_session_name:
            raise SessionDenied("Not authorized to set roleSessionName.")
        return application.session_name

    def _seen(self, anchor: TrustAnchor, application: Application, now: datetime, *, failed: bool) -> "_Seen":
        return _Seen(self._subjects, anchor, application, new_uuid(self._entropy), now, failed)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Notes the subject in a transaction that may run more than once; its ARN."""

    subjects: Subjects
    anchor: TrustAnchor
    application: Application
    new_id: str
    at: datetime
    failed: bool

    def __call__(self, tx: Tx) -> str:
        return self.subjects.record(
            tx,
            self.anchor,
            self.application.certificate,
            new_id=self.new_id,
            at=self.at,
            failed=self.failed,
            properties=self.application.instance_properties,
        ).arn


def _duration(role: Identity, profile: Profile, application: Application) -> int:
    """Seconds: the smaller of what was asked for and the profile's, which must not exceed the role's maximum."""
    seconds = min(application.duration_seconds or profile.duration_seconds, profile.duration_seconds)
    if seconds > (role.max_session_seconds or _SHORTEST_MAXIMUM):
        raise ValidationFailed("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds
