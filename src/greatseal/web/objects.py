"""Objects that everybody may read, over plain HTTP: `GET /s3/BUCKET/KEY`.

For revocation lists and CA certificates that are published from a bucket. What may be read so is said by the bucket's
policy or the object's access control list; there are no signatures, no listings and no writes here.
"""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from greatseal.domain.objects import ObjectRoom
from greatseal.domain.objects.conditions import Conditions, octets
from greatseal.domain.objects.model import Version
from greatseal.domain.objects.refusals import InvalidRange, NoSuchBucket, NoSuchKey, NotModified, PreconditionFailed
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse
from greatseal.edge.mounts import Handler
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal

PREFIX = "/s3"

_STATUSES: dict[type[Refusal], int] = {
    InvalidRange: 416,
    NoSuchBucket: 404,
    NoSuchKey: 404,
    NotModified: 304,
    PreconditionFailed: 412,
}


def handler(room: ObjectRoom, clock: Clock) -> Handler:
    """Answers GET and HEAD; everything that is not public is 403, whether or not it exists."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(405, ((b"allow", b"GET, HEAD"),))
        bucket, _, key = request.raw_path.removeprefix(PREFIX.encode() + b"/").partition(b"/")
        try:
            return _answer(room, clock, request, _text(bucket), _text(key))
        except UnicodeDecodeError:
            return HttpResponse(400)
        except Refusal as refusal:
            return HttpResponse(_STATUSES.get(type(refusal), 403))

    return handle


def _answer(room: ObjectRoom, clock: Clock, request: HttpRequest, bucket: str, key: str) -> HttpResponse:
    found = room.public.find(bucket, key, source_ip=request.client_ip, secure=request.scheme == "https", at=clock.now())

    def choose(version: Version) -> tuple[int, int]:
        _conditions(request).check_reading(version)
        return octets(request.header("range"), version.size) or (0, version.size)

    version, content = room.objects.read(bucket, key, None, choose)
    if version.version_id != found.version_id or version.acl != found.acl:
        # Replaced since it was looked at: what is there now may not be for everybody.
        room.public.find(bucket, key, source_ip=request.client_ip, secure=request.scheme == "https", at=clock.now())
    part = octets(request.header("range"), version.size)
    return HttpResponse(206 if part else 200, _headers(version, part, clock.now()), content)


def _headers(version: Version, part: tuple[int, int] | None, now: datetime) -> HeaderList:
    told = {
        **version.headers,
        "accept-ranges": "bytes",
        "etag": f'"{version.etag}"',
        "last-modified": format_datetime(version.modified_at.replace(microsecond=0), usegmt=True),
        "date": format_datetime(now, usegmt=True),
        "x-content-type-options": "nosniff",
    }
    if part is not None:
        told["content-range"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{version.size}"
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items())


def _conditions(request: HttpRequest) -> Conditions:
    return Conditions(
        request.header("if-match"),
        request.header("if-none-match"),
        _instant(request.header("if-modified-since")),
        _instant(request.header("if-unmodified-since")),
    )


def _instant(header: str | None) -> datetime | None:
    """A date that cannot be read is as if it were not there (RFC 9110 section 13.1.3)."""
    try:
        parsed = parsedate_to_datetime(header) if header else None
        return parsed.replace(tzinfo=parsed.tzinfo or UTC) if parsed else None
    except (ValueError, OverflowError):
        return None


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8")
