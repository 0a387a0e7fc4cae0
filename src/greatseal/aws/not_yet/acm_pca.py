"""What AWS Private CA does not offer yet: nothing."""

NOT_YET: dict[str, str] = {}
