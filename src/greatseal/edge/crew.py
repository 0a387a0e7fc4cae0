"""The threads on which doors work, and the way there and back.

A thread that is woken for each request, and wakes the loop for each answer, spends more on waking than on working. So
the loop is woken for the first of many answers only, and what is quick is taken and done in groups: the members of a
group share what each would else wait for, a look at the database and a durable write.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

Q = TypeVar("Q")
T = TypeVar("T")

_LARGEST_GROUP = 32

_Freed = Callable[[], None]


class Crew(Generic[Q, T]):
    """So many threads, which start with the first piece of work. `together` answers a group, in its order."""

    def __init__(self, size: int, name: str, together: Callable[[Sequence[Q]], Sequence[T]]) -> None:
        self._size = size
        self._name = name
        self._together = together
        self._threads: list[threading.Thread] = []
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._quick: deque[tuple[Q, _Freed, asyncio.Future[T]]] = deque()
        self._answers = False
        self._lock = threading.Lock()
        self._done: deque[tuple[_Freed, asyncio.Future[T], T | BaseException]] = deque()
        self._woken = False
        self._closing = False

    def run(self, work: Callable[[], T], freed: _Freed) -> "asyncio.Future[T]":
        """The future result of `work`, for the running loop, which must be the same one each time.

        `freed` is called on the loop when the thread is free again, also when nobody waits for the result any more.
        """
        future = self._future()

        def alone() -> None:
            result: T | BaseException
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                result = error
            self._finish([(freed, future, result)])

        self._work.put(alone)
        return future

    def join(self, quick: Q, freed: _Freed) -> "asyncio.Future[T]":
        """As `run`, for something that is answered together with others that are waiting by then."""
        future = self._future()
        with self._lock:
            self._quick.append((quick, freed, future))
            calls, self._answers = not self._answers, True
        if calls:
            self._work.put(self._answer_groups)
        return future

    def close(self) -> None:
        """Ends the threads after the work that they have."""
        self._closing = True
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _future(self) -> "asyncio.Future[T]":
        if self._closing:
            raise RuntimeError("the threads of the doors have ended")
        if len(self._threads) < self._size:
            thread = threading.Thread(target=self._serve, name=f"{self._name}_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return asyncio.get_running_loop().create_future()

    def _serve(self) -> None:
        while (task := self._work.get()) is not None:
            task()

    def _answer_groups(self) -> None:
        """Until nothing quick is waiting.

        One group after the other: a second one beside the first would make both smaller, and each request dearer.
        """
        while True:
            with self._lock:
                group = [self._quick.popleft() for _ in range(min(len(self._quick), _LARGEST_GROUP))]
                if not group:
                    self._answers = False
                    return
            results: Sequence[T | BaseException]
            try:
                results = self._together([quick for quick, _, _ in group])
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                results = [error] * len(group)
            self._finish([(freed, future, got) for (_, freed, future), got in zip(group, results, strict=True)])

    def _finish(self, results: Sequence[tuple[_Freed, "asyncio.Future[T]", T | BaseException]]) -> None:
        self._done.extend(results)
        if not self._woken:
            self._woken = True
            try:
                results[0][1].get_loop().call_soon_threadsafe(self._deliver)
            except RuntimeError:
                return  # the loop has ended, and everybody who waited with it

    def _deliver(self) -> None:
        # First: whoever finishes from here on rings again.
        self._woken = False
        while self._done:
            freed, future, result = self._done.popleft()
            freed()
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
