"""Key stores outside of the database. `pkcs11` needs the extra `greatseal[pkcs11]` and is imported only when used."""
