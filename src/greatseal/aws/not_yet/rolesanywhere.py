"""What IAM Roles Anywhere does not offer yet: nothing."""

NOT_YET: dict[str, str] = {}
