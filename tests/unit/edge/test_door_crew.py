"""The threads of the doors: what is quick is answered in groups, and nothing that was handed in is ever lost."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from greatseal.edge.crew import Crew


class Groups:
    """Doubles numbers, and remembers who came together. The first group waits for `gate`."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.seen.append(list(numbers))
        self.entered.set()
        if len(self.seen) <= 2:
            assert self.gate.wait(60)
        if -13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


def on_loop(test: Callable[[Crew[int, int], Groups], "asyncio.Future[None]"], size: int = 3) -> Groups:
    groups = Groups()

    async def main() -> None:
        crew: Crew[int, int] = Crew(size, "test", groups)
        try:
            await test(crew, groups)
        finally:
            groups.gate.set()
            await asyncio.to_thread(crew.close)

    asyncio.run(asyncio.wait_for(main(), 60))
    return groups


def nothing() -> None:
    """Somebody is free again."""


def test_work_that_is_done_alone() -> None:
    freed: list[int] = []

    async def test(crew: Crew[int, int], groups: Groups) -> None:
        done = [crew.run(lambda n=n: n * n, lambda n=n: freed.append(n)) for n in range(50)]  # type: ignore[misc]
        assert await asyncio.gather(*done) == [n * n for n in range(50)]
        with pytest.raises(ZeroDivisionError):
            await crew.run(lambda: 1 // 0, lambda: freed.append(-1))

    on_loop(test)  # type: ignore[arg-type]
    assert sorted(freed) == [-1, *range(50)]


def test_who_waits_at_the_same_time_is_answered_together_and_in_order() -> None:
    async def test(crew: Crew[int, int], groups: Groups) -> None:
        first = [crew.join(n, nothing) for n in range(2)]
        await asyncio.to_thread(groups.entered.wait, 60)
        later = [crew.join(n, nothing) for n in range(2, 100)]
        groups.gate.set()
        assert await asyncio.gather(*first, *later) == [2 * n for n in range(100)]

    seen = on_loop(test).seen  # type: ignore[arg-type]
    assert sorted(n for group in seen for n in group) == list(range(100))
    assert all(group == sorted(group) for group in seen)
    assert len(seen) < 20
    assert max(map(len, seen)) <= 32


def test_a_group_that_fails_fails_for_all_of_it_and_for_nobody_else() -> None:
    async def test(crew: Crew[int, int], groups: Groups) -> None:
        groups.gate.set()
        with pytest.raises(ValueError, match="thirteen"):
            await crew.join(-13, nothing)
        assert await crew.join(1, nothing) == 2

    on_loop(test, size=1)  # type: ignore[arg-type]


def test_nobody_waits_for_the_answer_any_more() -> None:
    freed = []

    async def test(crew: Crew[int, int], groups: Groups) -> None:
        both = asyncio.Event()

        def free(number: int) -> None:
            freed.append(number)
            if len(freed) == 2:
                both.set()

        left = crew.join(1, lambda: free(1))
        left.cancel()
        groups.gate.set()
        assert await crew.join(2, lambda: free(2)) == 4
        await both.wait()

    on_loop(test, size=1)  # type: ignore[arg-type]
    assert sorted(freed) == [1, 2]


def test_after_the_end_nothing_is_taken() -> None:
    async def test(crew: Crew[int, int], groups: Groups) -> None:
        await asyncio.to_thread(crew.close)
        with pytest.raises(RuntimeError):
            crew.join(1, nothing)
        with pytest.raises(RuntimeError):
            crew.run(lambda: 1, nothing)

    on_loop(test)  # type: ignore[arg-type]
