"""Greatseal: a certificate manager, private CA and signing service that speaks the AWS wire protocols."""

__version__ = "0.1.0"
