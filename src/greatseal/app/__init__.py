"""The composition root: settings in, a running installation out. The only place that builds collaborators."""

from greatseal.app.workers import serve

__all__ = ["serve"]
