"""The tables of the trail: records, and the log over them."""

from greatseal.domain.audit.store.records import recent

__all__ = ["recent"]
