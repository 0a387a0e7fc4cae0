"""Identifier octets of the universal types, the limits of the reader, and its error."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
UNIVERSAL_STRING, BMP_STRING = 0x1C, 0x1E
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

MAX_DEPTH = 32
"""Nesting that no certificate needs; deeper input is an attack on the reader (faults row 9)."""
MAX_SIZE = 1 << 20
"""Octets of the largest structure read; a certificate with 10,000 names has a quarter of it."""
MAX_OID_SIZE = 128
"""Octets of the longest object identifier; it bounds the cost of its arcs."""


class DerError(ValueError):
    """Octets that are not the DER that was expected. The message is the end of a sentence."""
