"""Values that must never show in a log, a traceback or a repr."""


class Secret:
    """Bytes that do not print. `reveal()` is the only way to the value, so that a reader can search for it."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes themselves."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        raise TypeError("compare secrets with hmac.compare_digest")

    def __hash__(self) -> int:
        raise TypeError("a secret is not a dictionary key")
