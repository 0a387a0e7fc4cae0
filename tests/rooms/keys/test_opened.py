"""What is kept of opened keys."""

import pytest

from greatseal.domain.keys.opened import Opened


def test_one_is_forgotten_and_the_others_stay() -> None:
    asked: list[str] = []
    opened = Opened(2, lambda key_id: asked.append(key_id) or key_id.upper())  # type: ignore[func-returns-value]
    assert [opened("a"), opened("b"), opened("a")] == ["A", "B", "A"]
    opened.forget("a")
    opened.forget("never opened")
    assert (opened("b"), opened("a")) == ("B", "A")
    assert asked == ["a", "b", "a"]
    opened("c")
    opened("b")
    assert asked == ["a", "b", "a", "c", "b"], "the one that was used least lately goes first"
    opened.cache_clear()
    opened("c")
    assert asked[-1] == "c"


def test_what_cannot_be_opened_is_not_kept() -> None:
    def fail(key_id: str) -> str:
        raise LookupError(key_id)

    opened = Opened(2, fail)
    for _ in range(2):
        with pytest.raises(LookupError):
            opened("a")
