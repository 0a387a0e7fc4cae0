"""Looking at domains, built from the settings: for the service itself, and for a remote perspective."""

from collections.abc import Callable
from functools import partial

import dns.name

from greatseal.domain.policy.public_names import HIGH_VALUE, NameRules, check_public
from greatseal.domain.validation import caa
from greatseal.domain.validation.ports import ControlCheck
from greatseal.integrations.addresses import is_elsewhere, is_public
from greatseal.integrations.domain_control.agent import PerspectiveApp
from greatseal.integrations.domain_control.dnssec import Validator, read_anchors
from greatseal.integrations.domain_control.exchange import Asking, Exchange, Server
from greatseal.integrations.domain_control.http_probe import HttpProbe
from greatseal.integrations.domain_control.iterative import Iterative
from greatseal.integrations.domain_control.local import LocalControl, allowed_addresses
from greatseal.integrations.domain_control.perspectives import Corroborated, Place, RemotePerspective, client_context
from greatseal.integrations.domain_control.recursive import Recursive, Routed
from greatseal.integrations.domain_control.resolver import Resolver
from greatseal.integrations.domain_control.roots import ANCHORS, HINTS
from greatseal.integrations.domain_control.trip import Limits
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.settings import Settings


def domain_control(settings: Settings, clock: Clock, entropy: Entropy) -> ControlCheck:
    """Who looks at domains for this installation. Raises OSError, ValueError for files that cannot be used."""
    chosen = settings.domain_control
    local = _local(settings, clock, entropy)
    if not settings.perspectives:
        return local
    assert chosen.ca_file is not None
    assert chosen.certificate_file is not None
    assert chosen.key_file is not None
    context = client_context(chosen.ca_file, chosen.certificate_file, chosen.key_file)
    remotes = [
        RemotePerspective(
            Place(name, each.address.host, each.address.port, each.region), context, chosen.timeout_seconds
        )
        for name, each in settings.perspectives.items()
    ]
    return Corroborated(
        local,
        remotes,
        regions=chosen.regions,
        alone=NameRules(chosen.private_suffixes).is_private,
        issuers=_issuers(settings),
        seconds=chosen.timeout_seconds,
    )


def perspective(settings: Settings, clock: Clock, entropy: Entropy) -> PerspectiveApp:
    """The application of a remote perspective. Raises OSError, ValueError."""
    return PerspectiveApp(_local(settings, clock, entropy))


def name_rules(settings: Settings) -> NameRules:
    """Which names are private, blocked or of high value. Raises OSError, ValueError."""
    chosen = settings.domain_control
    more: tuple[str, ...] = ()
    if chosen.high_value_file is not None:
        lines = chosen.high_value_file.read_text(encoding="ascii").splitlines()
        more = tuple(line.strip().lower() for line in lines if line.strip() and not line.startswith("#"))
    return NameRules(private_suffixes=chosen.private_suffixes, high_value=HIGH_VALUE + more)


def name_check(settings: Settings) -> Callable[[str], None]:
    """What refuses a name that no public certificate may have. Raises OSError, ValueError."""
    rules = name_rules(settings)
    return lambda name: check_public([name], rules)


def _issuers(settings: Settings) -> tuple[str, ...]:
    return caa.ISSUERS + settings.domain_control.caa_issuers


def _local(settings: Settings, clock: Clock, entropy: Entropy) -> LocalControl:
    chosen = settings.resolver
    exchange = Exchange(entropy)
    everything: Asking
    if chosen.mode == "recursive":
        everything = Recursive(exchange, [Server(each.host, each.port) for each in chosen.servers])
    else:
        allowed = partial(is_elsewhere, or_here=True) if chosen.private_servers else is_public
        everything = Iterative(exchange, chosen.hints or HINTS, allowed=allowed, port=chosen.port)
    own: dict[dns.name.Name, Asking] = {
        dns.name.from_text(each.host): Recursive(exchange, [Server(each.to.host, each.to.port)])
        for each in chosen.zones
    }
    asking = Routed(own, everything)
    anchors = read_anchors(_lines(settings))
    resolver = Resolver(
        asking,
        Validator(asking, anchors, clock, unsigned=own),
        Limits(seconds=chosen.check_seconds, query_seconds=chosen.query_seconds),
    )
    probe = HttpProbe(resolver, allowed=allowed_addresses(settings.domain_control.private_addresses))
    is_private = NameRules(settings.domain_control.private_suffixes).is_private
    return LocalControl(resolver, probe, _issuers(settings), is_private=is_private)


def _lines(settings: Settings) -> tuple[str, ...]:
    """The trust anchors."""
    path = settings.resolver.anchors_file
    if path is None:
        return ANCHORS
    lines = (line.split(";")[0].strip() for line in path.read_text(encoding="ascii").splitlines())
    return tuple(line for line in lines if line)
