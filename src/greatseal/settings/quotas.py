"""Settings of how often one account and one principal may ask (docs/limits.md)."""

from typing import Annotated, Literal

from msgspec import Meta

from greatseal.settings.values import Section


class QuotasSettings(Section, frozen=True, kw_only=True):
    """Requests a second. Nobody is held back by default: whoever runs a service of his own has paid for all of it."""

    rates: Annotated[
        Literal["off", "aws"],
        Meta(description="Hold every account to the requests a second that the real services take, or to none"),
    ] = "off"
    scale: Annotated[
        float, Meta(gt=0, le=1_000_000, description="With `aws`: how many times as much as the real services take")
    ] = 1.0
    operations: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}:[A-Za-z]{1,64}=[0-9]{1,7}(\.[0-9]{1,3})?$")], ...],
        Meta(
            description="Requests a second of one account for single operations, `kms:Sign=200`, with either choice of "
            "`rates`; 0 for no limit"
        ),
    ] = ()
    principal_rate: Annotated[
        Annotated[float, Meta(gt=0, le=1_000_000)] | None,
        Meta(description="Requests a second of one user, role or root, whatever they ask for; none: no limit"),
    ] = None
    principal_share: Annotated[
        float,
        Meta(gt=0, le=1, description="The part of its account's requests a second that one of them may use up alone"),
    ] = 1.0
