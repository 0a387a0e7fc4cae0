"""How control over a domain is looked at: our own resolver with DNSSEC, HTTP probes, remote perspectives.

Implements `greatseal.domain.validation.ports.ControlCheck`. See docs/domain-control.md.
"""
