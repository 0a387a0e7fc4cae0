"""The composition root: settings in, a running installation out. The only place that builds collaborators."""

from greatseal.app.serving import serve

__all__ = ["serve"]
