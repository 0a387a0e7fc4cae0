"""Operations of served models that are not offered, a file a service: the name and the reason that callers read."""
