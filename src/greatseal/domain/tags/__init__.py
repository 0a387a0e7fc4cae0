"""The room of tags: keys and values that owners hang on their resources.

One table for every kind of resource, because the rules are the same for all (acm.md 10.6,
acm-pca.md 2.17). Calls no other room.
"""

from greatseal.domain.tags.model import Tag
from greatseal.domain.tags.service import Tags

__all__ = ["Tag", "Tags"]
