"""A log and chains for it, for the process that dies and for the one that looks afterwards."""

from dataclasses import replace

from greatseal.app.transparency import TransparencyWishes
from greatseal.domain.transparency import Logs
from greatseal.domain.transparency.ports import Keeper
from greatseal.storage import Storage
from greatseal.testing import FakeEntropy, Installation
from greatseal.x509 import sct
from made_certificates import LEAF, ROOT, SUBORDINATE


def chain(number: int) -> tuple[bytes, ...]:
    """A precertificate of the number's own, and what stands above it."""
    leaf = LEAF.but(serial=2**100 + number, add=(sct.POISON,))
    return (leaf.sign().der, SUBORDINATE.sign().der, ROOT.sign().der)


def opened(storage: Storage, keeper: Keeper, seed: str = "logged") -> Logs:
    """The logs of an installation over a migrated database."""
    wishes = replace(TransparencyWishes(), roots=(ROOT.sign().der,), keeper=keeper)
    return Installation(storage, entropy=FakeEntropy(seed), logged=wishes).rooms.transparency.logs
