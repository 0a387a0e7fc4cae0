"""Attributes as texts, as parcels carry them: by name the type and the value, octets in base64."""

import base64
from collections.abc import Mapping

from greatseal.domain.notifications.model import Attribute


def written(attributes: Mapping[str, Attribute]) -> dict[str, list[str]]:
    """What a receiver of `[type, value]` reads."""
    return {
        name: [each.type, base64.b64encode(each.value).decode() if isinstance(each.value, bytes) else each.value]
        for name, each in attributes.items()
    }
