"""What KMS does not offer yet: nothing, every operation of its model is served."""

NOT_YET: dict[str, str] = {}
