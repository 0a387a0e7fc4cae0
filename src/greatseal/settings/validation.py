"""Settings of public certificates and of the validation of their names."""

from typing import Annotated

from msgspec import Meta

from greatseal.settings.values import Section

_ZONE = r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$"


class ValidationSettings(Section, frozen=True, kw_only=True):
    """How control of domains is shown, and how many public certificates there may be (docs/validation.md)."""

    record_suffix: Annotated[
        str,
        Meta(
            pattern=_ZONE,
            max_length=150,
            description="The zone that the values of validation records lie in; nothing needs to exist there",
        ),
    ] = "acm-validations.aws"
    approvals_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$", max_length=200)] | None,
        Meta(
            description="How contacts of domains reach the approval pages (`/approvals`), which both listeners have; "
            "default: `publication.base_url` when it is https, else the HTTPS listener"
        ),
    ] = None
    names_per_certificate: Annotated[
        int, Meta(ge=1, le=100, description="How many names a public certificate may have")
    ] = 10
    certificates: Annotated[
        int,
        Meta(
            ge=0,
            description="Public certificates of one account in one region; twice as many may be requested in a year; "
            "0 for no limit",
        ),
    ] = 2500
    mails_per_domain: Annotated[
        int,
        Meta(
            ge=0,
            description="Approval mails that requests of all accounts may send to one domain in a day (UTC), five for "
            "each name; renewals are not counted; 0 for no limit",
        ),
    ] = 500
