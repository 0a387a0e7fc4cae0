"""The tree of settings: every field with its type, its safe default and its line of documentation.

`docs/settings.md` is rendered from the descriptions here.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from greatseal.settings.control import DomainControlSettings, PerspectiveSettings, ResolverSettings
from greatseal.settings.dns import DnsProviderSettings, UpstreamSettings, ZoneServerSettings
from greatseal.settings.paths import DataPaths
from greatseal.settings.quotas import QuotasSettings
from greatseal.settings.timestamps import TimestampSettings
from greatseal.settings.transparency import OutsideLogs, TransparencySettings
from greatseal.settings.trust_services import TrustServicesSettings
from greatseal.settings.validation import ValidationSettings
from greatseal.settings.values import Address, Hidden, Route, Section


class ServerSettings(Section, frozen=True, kw_only=True):
    """The listeners and their limits."""

    listen: Annotated[Address, Meta(description="HTTPS listener of the API: `HOST:PORT`, port 0 for a free one")] = (
        Address("127.0.0.1:8443")
    )
    http: Annotated[
        Address, Meta(description="Plain listener for CRL, OCSP, CA certificates and health: `HOST:PORT`")
    ] = Address("127.0.0.1:8080")
    insecure_http_api: Annotated[
        bool, Meta(description="Serve the AWS API on the plain listener too; only for tests and behind a proxy")
    ] = False
    names: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...],
        Meta(description="DNS names and IP addresses that the HTTPS certificate carries besides those of this host"),
    ] = ()
    workers: Annotated[
        int,
        Meta(
            ge=1,
            description="Server processes on this machine, each with an interpreter of its own; one for each core",
        ),
    ] = 1
    # The AWS CLI uploads up to 8 MiB in one piece. The largest legal requests of other services import a certificate:
    # 32 KiB of certificate, 5 KiB of key and 2 MiB of chain (acm.md 1.3) are 2.8 MiB in base64.
    max_body_bytes: Annotated[
        int, Meta(ge=65536, description="Largest request body in bytes; what the AWS CLI uploads in one piece fits in")
    ] = 9 * 1024 * 1024
    max_header_bytes: Annotated[int, Meta(ge=4096, description="Largest request head in bytes")] = 32 * 1024
    body_timeout_seconds: Annotated[
        float, Meta(gt=0, description="How long a client may pause while it sends a body, in seconds")
    ] = 30.0
    threads: Annotated[int, Meta(ge=1, le=512, description="Requests that are worked on at the same time")] = 16
    queue_limit: Annotated[
        int, Meta(ge=0, description="Requests that may wait for a thread; more are answered with 503 at once")
    ] = 256
    queue_seconds: Annotated[
        float,
        Meta(gt=0, le=60, description="How long a request may have to wait for a thread; else it is answered with 503"),
    ] = 0.3


class KekSettings(Section, frozen=True, kw_only=True):
    """The key-encryption key, under which every private key is sealed."""

    file: Annotated[
        Path | None, Meta(description="File of the key-encryption key, made on first run; `kek` in the data directory")
    ] = None
    passphrase: Annotated[
        Hidden | None, Meta(description="Derive the key-encryption key from this passphrase instead of a file")
    ] = None
    passphrase_file: Annotated[
        Path | None, Meta(description="As `passphrase`, read from a file, for instance a systemd credential")
    ] = None
    store: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="Name of the key store whose token opens the key-encryption key, instead of a file"),
    ] = None


class KeyStoreSettings(Section, frozen=True, kw_only=True):
    """A key store: `[key_stores.NAME]`. Its fields are described in docs/keys.md."""

    module: Path
    token_label: Annotated[str, Meta(min_length=1, max_length=32)]
    pin_file: Path
    kind: Literal["pkcs11"] = "pkcs11"
    max_sessions: Annotated[int, Meta(ge=1, le=256)] = 8
    timeout_seconds: Annotated[float, Meta(gt=0, le=600)] = 10.0


class KeysSettings(Section, frozen=True, kw_only=True):
    """Where keys are made, RSA keys made ahead, and keys that are refused."""

    authority_store: Annotated[
        str | None, Meta(description="Name of the key store in which keys of new CAs are made; none seals them here")
    ] = None
    kms_store: Annotated[
        str | None, Meta(description="Name of the key store in which new KMS keys that sign are made")
    ] = None
    ocsp_store: Annotated[
        str | None, Meta(description="Name of the key store in which keys of OCSP delegates are made")
    ] = None

    pool_rsa_2048: Annotated[int, Meta(ge=0, le=1000, description="RSA 2048 keys kept ready")] = 8
    pool_rsa_3072: Annotated[int, Meta(ge=0, le=1000, description="RSA 3072 keys kept ready")] = 4
    pool_rsa_4096: Annotated[int, Meta(ge=0, le=1000, description="RSA 4096 keys kept ready")] = 2
    blocklists: Annotated[
        tuple[Path, ...],
        Meta(
            description="Files of known keys that are refused in requests, in the form of Debian's openssl-blacklist "
            "package (CVE-2008-0166), whose lists are too large to ship"
        ),
    ] = ()


class ExternalKeyStoreSettings(Section, frozen=True, kw_only=True):
    """How the proxies of external key stores (`aws kms create-custom-key-store`) are reached."""

    ca_file: Annotated[
        Path | None,
        Meta(description="Certificate authorities (PEM) that proxies are trusted under, besides the system's own"),
    ] = None
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=30, description="How long a proxy may take for one call; the real service waits 0.25")
    ] = 1.0
    routes: Annotated[
        tuple[Route, ...],
        Meta(
            description="Where the hosts of proxies really are, `HOST=ADDRESS:PORT`: endpoints of KMS name no port, "
            "and only this list leads to this very host"
        ),
    ] = ()


class RootSettings(Section, frozen=True, kw_only=True):
    """The root credential; generated on first run when it is not given."""

    access_key_id: Annotated[
        # What the real service allows (iam.md 8); a slash or comma would break the credential scope.
        Annotated[str, Meta(pattern=r"^\w{16,128}$")] | None,
        Meta(description="Access key id of the root principal; goes together with its secret"),
    ] = None
    secret_access_key: Annotated[
        Hidden | None, Meta(description="Secret access key of the root principal, 16 characters or more")
    ] = None


class AccessSettings(Section, frozen=True, kw_only=True):
    """Who may do what is kept in the database, by `aws iam` and its kin; this is what they need from outside."""

    oidc_ca_file: Annotated[
        Path | None,
        Meta(
            description="Certificate authorities (PEM) that OpenID Connect providers are trusted under, besides the "
            "system's own"
        ),
    ] = None


class AuditSettings(Section, frozen=True, kw_only=True):
    """Blocking copies of the audit trail: when one of them cannot be written, the act fails."""

    sinks: Annotated[
        tuple[str, ...],
        Meta(description="Where copies go: `file:///PATH`, `udp://`, `tcp://`, `unix://` (syslog), `https://`"),
    ] = ()
    webhook_token: Annotated[
        Hidden | None, Meta(description="Bearer token that webhooks receive, 16 characters or more")
    ] = None
    sink_timeout_seconds: Annotated[float, Meta(gt=0, description="How long one copy may take, in seconds")] = 5.0


class PublicationSettings(Section, frozen=True, kw_only=True):
    """What certificates say about where they are checked, and how soon revocation lists follow."""

    base_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$", max_length=200)] | None,
        Meta(
            description="How clients reach the plain listener: certificates of a CA without a name of its own carry it "
            "for ever. Default: `http://` and the address of `server.http`, with the host's name for a wildcard"
        ),
    ] = None
    crl_delay_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="From a revocation to the CRL that has it, in seconds")
    ] = 10.0
    crl_retry_seconds: Annotated[
        float,
        Meta(gt=0, le=3600, description="Until a CRL that could not be made or copied is tried again, in seconds"),
    ] = 60.0
    delta_crls: Annotated[
        bool, Meta(description="Make delta CRLs, which then follow a revocation in place of the complete CRL")
    ] = False
    complete_crl_delay_seconds: Annotated[
        float,
        Meta(ge=0, le=86400, description="With delta CRLs: until a complete CRL has a revocation, too, in seconds"),
    ] = 3600.0
    ca_issuers: Annotated[
        bool,
        Meta(description="Write into certificates where that of their CA is (caIssuers); the real service does not"),
    ] = False
    repository: Annotated[
        Literal["off", "unlisted", "listed"],
        Meta(
            description="Pages about CAs on the plain listener: none, for those who know the id of the CA, or also an "
            "index of the CAs that carry the tag `greatseal:repository` = `listed`"
        ),
    ] = "unlisted"


class ObjectsSettings(Section, frozen=True, kw_only=True):
    """Contents of buckets, or an S3 API outside that CRLs and audit reports are written to instead of them."""

    contents: Annotated[
        Literal["auto", "files", "database"],
        Meta(
            description="Where new contents of buckets of this installation go: to files below `paths.objects`, or "
            "into the database, which all nodes have in common; `auto` is the database on PostgreSQL, files on SQLite"
        ),
    ] = "auto"
    s3_endpoint: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+$", max_length=200)] | None,
        Meta(description="Its URL, without a path; none writes into buckets of this installation"),
    ] = None
    region: Annotated[str, Meta(pattern="^[a-z0-9-]{1,64}$", description="The region that requests are signed for")] = (
        "us-east-1"
    )
    access_key_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | None,
        Meta(description="Access key id for it; goes together with its secret"),
    ] = None
    secret_access_key: Annotated[Hidden | None, Meta(description="Secret access key for it")] = None
    secret_access_key_file: Annotated[
        Path | None, Meta(description="As `secret_access_key`, read from a file, for instance a systemd credential")
    ] = None
    path_style: Annotated[
        bool, Meta(description="Put the bucket into the path of URLs (most others) instead of the host's name (AWS)")
    ] = True
    timeout_seconds: Annotated[float, Meta(gt=0, le=600, description="How long it may keep silent, in seconds")] = 30.0

    def in_database(self, dialect: str) -> bool:
        """Whether new contents go into the database, which is of this dialect."""
        return self.contents == "database" or (self.contents == "auto" and dialect == "postgresql")


class MailSettings(Section, frozen=True, kw_only=True):
    """The SMTP server that takes our mail (docs/notifications.md)."""

    host: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] | None,
        Meta(description="Host of the SMTP server; none, and mail cannot be sent"),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="Its port; default 587 with `starttls`, 465 with `tls`, 25 with `none`"),
    ] = None
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How the connection is secured; it never falls back to less than this"),
    ] = "starttls"
    ca_file: Annotated[
        Path | None, Meta(description="Certificate authorities (PEM) that it is trusted under, instead of the system's")
    ] = None
    user: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256)] | None, Meta(description="Name to sign in with, if any")
    ] = None
    password: Annotated[Hidden | None, Meta(description="Password to sign in with")] = None
    password_file: Annotated[
        Path | None, Meta(description="As `password`, read from a file, for instance a systemd credential")
    ] = None
    sender: Annotated[
        Annotated[str, Meta(pattern=r"^[^\s@<>]{1,64}@[^\s@<>]{1,253}$")] | None,
        Meta(description="Address that mail comes from; needed with `host`"),
    ] = None
    timeout_seconds: Annotated[float, Meta(gt=0, le=120, description="How long a whole mail may take, in seconds")] = (
        20.0
    )


class WebhooksSettings(Section, frozen=True, kw_only=True):
    """Where webhooks may lead, and how long they may take (docs/notifications.md)."""

    allow: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:/-]{1,253}$")], ...],
        Meta(
            description="Hosts, addresses and networks (`10.1.0.0/16`) that webhooks may reach though they are not "
            "public; only these may be plain http"
        ),
    ] = ()
    ca_file: Annotated[
        Path | None,
        Meta(description="Certificate authorities (PEM) that receivers are trusted under, besides the system's own"),
    ] = None
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=60, description="How long a whole delivery may take, in seconds")
    ] = 10.0


class DeliveriesSettings(Section, frozen=True, kw_only=True):
    """What carries notifications outside."""

    threads: Annotated[
        int,
        Meta(ge=1, le=64, description="Receivers that are served at the same time; eight times as many when they hang"),
    ] = 8


class ChannelSettings(Section, frozen=True, kw_only=True):
    """A channel: `[channels.NAME]`. Its fields are described in docs/notifications.md."""

    kind: Literal["email", "webhook", "syslog", "command", "nats", "amqp", "kafka"]
    url: Annotated[str, Meta(max_length=2048)] | None = None
    to: tuple[Annotated[str, Meta(pattern=r"^[^\s@<>]+@[^\s@<>]+$", max_length=254)], ...] = ()
    argv: tuple[str, ...] = ()
    secret_file: Path | None = None
    user: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    subject: Annotated[str, Meta(pattern=r"^[!-~]{1,255}$")] | None = None
    jetstream: bool = True
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")] | None = None
    exchange: Annotated[str, Meta(max_length=255)] = ""
    routing_key: Annotated[str, Meta(max_length=255)] = ""
    virtual_host: Annotated[str, Meta(min_length=1, max_length=255)] = "/"
    timeout_seconds: Annotated[float, Meta(gt=0, le=60)] = 10.0


class WatchSettings(Section, frozen=True, kw_only=True):
    """What becomes a finding without anybody asking (docs/findings.md)."""

    root_issuance: Annotated[bool, Meta(description="A finding whenever a root CA issues a certificate")] = True
    expiry_days: Annotated[
        int, Meta(ge=0, le=3650, description="Certificates that end within so many days are reported; 0 for none")
    ] = 30
    expiry_schedule: Annotated[
        str,
        Meta(
            pattern=r"^(rate|cron)\(.{1,128}\)$",
            description="When that is looked at: `rate(…)` or `cron(…)` as event rules have it, in UTC",
        ),
    ] = "cron(0 21 * * ? *)"
    distrusted_issuers: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...],
        Meta(
            description="Issuers of imported certificates that become findings: `NAME` as DescribeCertificate shows "
            "it, or `NAME|YYYY-MM-DD` for what begins after that day. Names with a comma need the settings file"
        ),
    ] = ()


class LogSettings(Section, frozen=True, kw_only=True):
    """The log on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least severe events that are written")
    ] = "info"
    format: Annotated[
        Literal["auto", "text", "json"], Meta(description="`auto` writes text to a terminal and JSON elsewhere")
    ] = "auto"


class TracingSettings(Section, frozen=True, kw_only=True):
    """Traces, with the extra `otel`."""

    endpoint: Annotated[
        str | None,
        Meta(
            description="OTLP over HTTP: URL of a collector, `http://HOST:4318/v1/traces` for instance; none: no traces"
        ),
    ] = None
    share: Annotated[
        float, Meta(ge=0.0, le=1.0, description="Which part of the requests is traced that no caller traces already")
    ] = 1.0


class Settings(Section, frozen=True, kw_only=True):
    """Everything an operator may choose."""

    data: Annotated[
        Path, Meta(description="The data directory, initialised when absent; default `~/.local/share/greatseal`")
    ]
    # All zeros is the account of the installation itself, which nobody signs in to.
    account_id: Annotated[
        Annotated[str, Meta(pattern="^(?!0{12})[0-9]{12}$")],
        Meta(description="The account that owns every resource: 12 digits"),
    ] = "100000000000"
    region: Annotated[
        Annotated[str, Meta(pattern="^[a-z]{2,}(-[a-z]+)+-[0-9]+$")],
        Meta(description="The region of the service's own resources and of the exported client settings"),
    ] = "us-east-1"
    enabled_regions: Annotated[
        tuple[Annotated[str, Meta(pattern="^[a-z]{2,}(-[a-z]+)+-[0-9]+$")], ...],
        Meta(description="Regions that are served; empty serves every region"),
    ] = ()
    database: Annotated[
        Hidden | None,
        Meta(description="Database URL, `sqlite:///PATH` or `postgresql://…`; `greatseal.db` in the data directory"),
    ] = None
    tracing: TracingSettings = TracingSettings()
    server: ServerSettings = ServerSettings()
    quotas: QuotasSettings = QuotasSettings()
    kek: KekSettings = KekSettings()
    keys: KeysSettings = KeysSettings()
    key_stores: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")], KeyStoreSettings],
        Meta(
            description="Key stores by name, as tables `[key_stores.NAME]` of the file: `module`, `token_label`, "
            "`pin_file`, `max_sessions` (8), `timeout_seconds` (10); see docs/keys.md"
        ),
    ] = msgspec.field(default_factory=dict)
    external_key_stores: ExternalKeyStoreSettings = ExternalKeyStoreSettings()
    root: RootSettings = RootSettings()
    access: AccessSettings = AccessSettings()
    audit: AuditSettings = AuditSettings()
    publication: PublicationSettings = PublicationSettings()
    objects: ObjectsSettings = ObjectsSettings()
    watch: WatchSettings = WatchSettings()
    mail: MailSettings = MailSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    deliveries: DeliveriesSettings = DeliveriesSettings()
    channels: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")], ChannelSettings],
        Meta(
            description="Channels by name, as tables `[channels.NAME]` of the file: `kind` (`email`, `webhook`, "
            "`syslog`, `command`, `nats`, `amqp`, `kafka`) and what it needs; see docs/notifications.md"
        ),
    ] = msgspec.field(default_factory=dict)
    dns_providers: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")], DnsProviderSettings],
        Meta(
            description="DNS providers by name, as tables `[dns_providers.NAME]` of the file: `kind` (`rfc2136`, "
            "`route53`, `lexicon`), `zones` and what it needs; see docs/dns.md"
        ),
    ] = msgspec.field(default_factory=dict)
    trust_services: TrustServicesSettings = TrustServicesSettings()
    timestamps: TimestampSettings = TimestampSettings()
    validation: ValidationSettings = ValidationSettings()
    domain_control: DomainControlSettings = DomainControlSettings()
    resolver: ResolverSettings = ResolverSettings()
    perspectives: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")], PerspectiveSettings],
        Meta(
            description="Remote perspectives by name, as tables `[perspectives.NAME]` of the file: `address` "
            "(`HOST:PORT`) and `region`; see docs/domain-control.md"
        ),
    ] = msgspec.field(default_factory=dict)
    zone_server: ZoneServerSettings = ZoneServerSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    transparency: TransparencySettings = TransparencySettings()
    transparency_logs: OutsideLogs = msgspec.field(default_factory=dict)
    log: LogSettings = LogSettings()

    @property
    def paths(self) -> "DataPaths":
        """The places inside the data directory."""
        return DataPaths(self.data)

    @property
    def database_url(self) -> str:
        """The database in use."""
        return str(self.database) if self.database else f"sqlite:///{self.paths.database}"

    @property
    def kek_file(self) -> Path:
        """The file of the key-encryption key, whether or not a passphrase replaces it."""
        return self.kek.file or self.paths.kek
