"""What a signed request says about its signature: the Authorization header and the time of signing (iam.md 7)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from greatseal.aws.protocol import canonical
from greatseal.aws.protocol.auth_errors import Failure, Unauthenticated, malformed
from greatseal.aws.protocol.message import Message

_BASIC_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of the Authorization header."""

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """The credential scope, as it is signed."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"


def parse_authorization(request: Message) -> Authorization:
    """Takes the header apart. Raises Unauthenticated MISSING or MALFORMED; signatures in the query are refused."""
    header = request.header("authorization")
    if b"X-Amz-Signature=" in request.raw_query or b"X-Amz-Credential=" in request.raw_query:
        raise malformed("Signatures in the query string are not accepted. Sign the request with a header.")
    if not header:
        raise Unauthenticated(Failure.MISSING, "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    if algorithm != canonical.ALGORITHM:
        raise malformed(f"Unsupported AWS 'algorithm': '{algorithm[:64]}'.")
    fields: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip(" \t").partition("=")
        if not equals or name in fields:
            raise malformed("The Authorization header is not a list of distinct key=value pairs.")
        fields[name] = value
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not fields.get(name)]
    if missing:
        raise malformed(" ".join(f"Authorization header requires '{name}' parameter." for name in missing))
    scope = fields["Credential"].split("/")
    if len(scope) != 5:
        raise malformed(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{fields['Credential'][:200]}'"
        )
    if not _SIGNATURE.fullmatch(fields["Signature"]):
        raise malformed("The Signature must be 64 lower-case hexadecimal digits.")
    access_key_id, date, region, service, terminator = scope
    signed_headers = tuple(fields["SignedHeaders"].split(";"))
    return Authorization(access_key_id, date, region, service, terminator, signed_headers, fields["Signature"])


def signing_time(request: Message) -> datetime:
    """When the client says it signed: X-Amz-Date, or else Date, which may also have the form of RFC 9110.

    Raises Unauthenticated MALFORMED.
    """
    sent = request.header("x-amz-date") or request.header("date")
    if sent is None:
        raise malformed("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    try:
        parsed = datetime.fromisoformat(sent) if _BASIC_DATE.fullmatch(sent) else parsedate_to_datetime(sent)
        # RFC 5322's "-0000" and a missing zone both mean UTC here.
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise malformed(
            f"Date must be in ISO-8601 'basic format'. Got '{sent[:64]}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None
