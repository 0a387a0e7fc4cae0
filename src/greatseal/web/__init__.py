"""Doors that are not the AWS wire: revocation lists, OCSP, public objects, health."""
