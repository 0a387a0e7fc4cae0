"""How many other places must see the same (Baseline Requirements 3.2.2.9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from greatseal.domain.validation.ports import ControlFailure, Finding


@dataclass(frozen=True, slots=True)
class Vote:
    """What one remote perspective says."""

    name: str
    region: str
    finding: Finding


def dissent_allowed(asked: int) -> int:
    """How many of the places that were asked may see something else, or nothing."""
    if asked < 2:
        return 0
    return 1 if asked < 6 else 2


def weigh(votes: Sequence[Vote], regions: int) -> Finding:
    """The finding of all together, where it looks right from here.

    Those who see the same must be in so many different `regions`: service areas of the regional internet registries.
    """
    told = tuple((vote.name, vote.finding.ok, vote.finding.detail) for vote in votes)
    agree = [vote for vote in votes if vote.finding.ok]
    missing = len(votes) - len(agree)
    if missing > dissent_allowed(len(votes)):
        sentence = f"{missing} of {len(votes)} remote perspectives do not see the same"
    elif len({vote.region for vote in agree}) < regions:
        sentence = f"remote perspectives that see the same are in fewer than {regions} regions"
    else:
        return Finding(True, perspectives=told)
    first = next((vote for vote in votes if not vote.finding.ok), None)
    if first is not None:
        sentence += f"; {first.name}: {first.finding.detail}"
    return Finding(False, ControlFailure.DISAGREEMENT, sentence, told)
