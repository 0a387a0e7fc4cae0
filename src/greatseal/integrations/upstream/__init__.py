"""The wire to a CA upstream: ACME (RFC 8555) with renewal information (RFC 9773) and profiles."""

from greatseal.integrations.upstream.client import AcmeClient

__all__ = ["AcmeClient"]
