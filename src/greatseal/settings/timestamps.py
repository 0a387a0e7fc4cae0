"""Settings of the timestamp authority (docs/timestamps.md)."""

from typing import Annotated

from msgspec import Meta

from greatseal.settings.values import Section


class TimestampSettings(Section, frozen=True, kw_only=True):
    """The timestamp authority at `/tsa` of the plain listener (RFC 3161)."""

    enabled: Annotated[bool, Meta(description="Whether `/tsa` answers; its CA is made with the first request")] = True
    policy: Annotated[
        # The form of an OID; arcs are checked where it is encoded.
        Annotated[str, Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]{0,39})){1,15}$")] | None,
        Meta(description="OID of the policy that tokens name and requests may ask for; a number of Greatseal's own"),
    ] = None
    accuracy_milliseconds: Annotated[
        int,
        Meta(ge=1, le=60_000, description="How far from UTC the time of a token may be, as it says; in milliseconds"),
    ] = 1000
    authority: Annotated[
        str | None,
        Meta(description="ARN of the private CA that certifies the authority's keys; none makes a root for it"),
    ] = None
