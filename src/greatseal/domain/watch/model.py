"""What is watched for, and how grave it is. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Distrusted:
    """An issuer that is not trusted any more: all of it, or what it issued after a day."""

    name: str
    """O of the issuer, else its CN, as DescribeCertificate shows it; compared exactly."""
    after: date | None = None
    """The last day of trust, in UTC: certificates whose notBefore is on that day are still trusted."""

    @classmethod
    def parse(cls, text: str) -> "Distrusted":
        """`NAME`, or `NAME|YYYY-MM-DD`. Raises ValueError."""
        name, bar, day = text.rpartition("|")
        if not bar:
            name, day = text, ""
        if not name.strip():
            raise ValueError(f"{text!r} does not name an issuer")
        try:
            return cls(name, date.fromisoformat(day) if bar else None)
        except ValueError:
            raise ValueError(f"{text!r} ends with {day!r}, which is not a day like 2024-10-31") from None

    def covers(self, issuer: str, not_before: datetime) -> bool:
        """Whether a certificate of this issuer and beginning is not trusted."""
        return issuer == self.name and (self.after is None or not_before.astimezone(UTC).date() > self.after)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator wants watched."""

    root_issuance: bool = True
    expiry_days: int = 30
    """How many days before their end certificates are reported; 0 for never."""
    schedule: str = "cron(0 21 * * ? *)"
    """When rounds begin, in UTC."""
    distrusted: tuple[Distrusted, ...] = ()


def severity_of(left: timedelta) -> int:
    """The normalized severity of a certificate that ends so soon: medium, in the last week high, then critical."""
    if left <= timedelta(days=1):
        return 90
    return 70 if left <= timedelta(days=7) else 40
