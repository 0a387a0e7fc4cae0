"""The room of issuance policy: may this certificate exist, whoever asks for it?

Rules about keys and names that Greatseal keeps even where the real service signs (docs/divergences.md).
Pure; calls no other room.
"""

from greatseal.domain.policy.keys import KeyPolicy

__all__ = ["KeyPolicy"]
