"""The settings of the trust services (docs/trust-services.md)."""

from typing import Annotated, Literal

from msgspec import Meta

from greatseal.settings.values import Address, Section


class TrustServicesSettings(Section, frozen=True, kw_only=True):
    """The installation's own public-style hierarchy, made when the first public certificate is issued."""

    brand: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=30,
            description="How the names of CAs that are made from then on begin: `Greatseal Root CA 1`",
        ),
    ] = "Greatseal"
    organization: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="The organization in those names. Default: the brand and eight digits of this installation"),
    ] = None
    country: Annotated[
        str, Meta(pattern="^[A-Z]{2}$", description="The country in those names, two letters of ISO 3166")
    ] = "US"
    issuers: Annotated[
        int, Meta(ge=1, le=20, description="Issuing CAs of each root; chance picks one for each certificate")
    ] = 3
    days: Annotated[
        int,
        Meta(ge=1, le=200, description="How long public certificates live, in days; never longer than the rules allow"),
    ] = 198
    client_auth: Annotated[
        bool, Meta(description="Let public certificates name clients as well as servers (clientAuth)")
    ] = False
    chain: Annotated[
        Literal["short", "cross_signed", "long"],
        Meta(
            description="What is handed out above a certificate: the issuing CA (`short`), and its root signed by the "
            "older root (`cross_signed`), and the older root (`long`). Holds for all certificates at once"
        ),
    ] = "cross_signed"
    endpoint_domain: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$",
            max_length=200,
            description="Test endpoints are `valid.root1.` and so on below this domain",
        ),
    ] = "trust.localhost"
    endpoint_listen: Annotated[
        Address | None, Meta(description="Where the TLS test endpoints of the roots answer; nowhere by default")
    ] = None
