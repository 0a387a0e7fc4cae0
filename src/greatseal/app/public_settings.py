"""What the settings say about public certificates."""

from greatseal.app.domain_control import domain_control, name_rules
from greatseal.app.publics import PublicWishes
from greatseal.domain.certificates.requests import Quotas
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.settings import Settings


def public_wishes(settings: Settings, clock: Clock, entropy: Entropy) -> PublicWishes:
    """From the settings. Raises OSError for a file, or a value, that cannot be used."""
    chosen = settings.validation
    try:
        control, names = domain_control(settings, clock, entropy), name_rules(settings)
    except ValueError as error:
        raise OSError(f"the settings of domain control cannot be used: {error}") from None
    return PublicWishes(
        control=control,
        names=names,
        suffix=chosen.record_suffix,
        quotas=Quotas(chosen.names_per_certificate, chosen.certificates),
        mails_per_domain=chosen.mails_per_domain,
        can_mail=settings.mail.host is not None,
        approvals=chosen.approvals_url,
    )
