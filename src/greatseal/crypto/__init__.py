"""Keys and signatures as pure functions: the tables of algorithms and of KMS key specs, key pairs, signing, sealing.

Nothing here reads a clock, a file or a database. Randomness for key generation comes from OpenSSL,
which has no other door; everything else takes what it needs as arguments.
"""
