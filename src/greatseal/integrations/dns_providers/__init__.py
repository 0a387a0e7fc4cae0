"""DNS providers: adapters of `domain/zones/ports.py`, one module a kind, one contract suite for all (docs/dns.md)."""
