"""The tables of the authorities room: CAs, the issuance journal, permissions."""
