"""X.509 as pure functions: read, build, compare and check certificates, requests and their parts.

Nothing here reads a clock, a file, a database or a generator of randomness: time, serial numbers and
signers are arguments. Bytes come in, frozen values go out, and what was read is kept byte for byte,
because a name or an extension that is encoded anew is no longer the one that was signed.

Rules: RFC 5280 (certificates), RFC 2986 (requests), X.690 (DER), RFC 7468 (PEM), acm-pca.md 6 to 9.
"""
