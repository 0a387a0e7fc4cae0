"""Who is let in: by a count, and by how long he would have to wait."""

from collections.abc import Iterator

from greatseal.edge.admission import Admission


class Hall:
    """Places, somebody who serves at a steady pace, and a clock that only this test moves."""

    def __init__(self, *, workers: int = 4, queued: int = 100, seconds: float = 0.3) -> None:
        self.now = 100.0
        self.places = Admission(workers=workers, queued=queued, seconds=seconds, clock=lambda: self.now)
        self.inside = 0

    def fill(self, most: int = 1000) -> int:
        """Lets in whoever is let in; how many are inside then."""
        while self.inside < most and not self.places.is_full():
            self.places.enter()
            self.inside += 1
        return self.inside

    def serve(self, count: int, every: float, group: int = 1) -> Iterator[int]:
        """So many answers, one each `every` seconds or as many at once; after each, how many are let in."""
        for _ in range(count // group):
            self.now += every * group
            for _ in range(min(group, self.inside)):
                self.places.leave()
                self.inside -= 1
            yield self.fill()

    def empty(self) -> None:
        """Everybody has been answered."""
        for _ in range(self.inside):
            self.places.leave()
        self.inside = 0


def test_so_many_and_no_more() -> None:
    assert Hall(workers=4, queued=0).fill() == 4
    assert Hall(workers=4, queued=10).fill() == 14


def test_no_more_than_are_answered_in_time() -> None:
    """A hundred a second: thirty of them in 0.3 seconds, behind the four that are served."""
    hall = Hall()
    assert hall.fill() == 104
    *_, last = hall.serve(200, every=0.01)
    assert 32 <= last <= 36


def test_quick_answers_need_no_refusal() -> None:
    hall = Hall()
    hall.fill()
    assert set(hall.serve(1000, every=0.001)) == {104}


def test_answers_that_come_in_groups_count_like_others() -> None:
    hall = Hall()
    hall.fill()
    assert set(hall.serve(960, every=0.002, group=32)) == {104}
    *_, last = hall.serve(960, every=0.02, group=32)
    assert last < 32


def test_groups_that_take_everybody_count_whole() -> None:
    """A crowd that is answered at once and comes again at once: two hundred a second, sixty of which may wait."""
    hall = Hall(workers=16)
    for _ in range(20):
        hall.fill(40)
        hall.now += 0.2
        hall.empty()
    assert 16 + 58 <= hall.fill() <= 16 + 62


def test_when_answers_cease() -> None:
    """Nothing was measured yet, and whoever came now would still wait for those who have waited for long."""
    hall = Hall()
    hall.fill(10)
    hall.now += 0.3
    assert not hall.places.is_full()
    hall.now += 0.1
    assert hall.places.is_full()


def test_as_many_may_always_wait_as_are_served() -> None:
    """However slow it is: a burst is no overload, and otherwise nothing would show that it is quick again."""
    hall = Hall()
    hall.fill()
    *_, last = hall.serve(150, every=1.0)
    assert last == 8
    *_, last = hall.serve(1000, every=0.001)
    assert last == 104


def test_slowness_is_forgotten() -> None:
    hall = Hall()
    hall.fill()
    list(hall.serve(150, every=1.0))
    hall.empty()
    hall.now += 2.0
    assert hall.fill() == 104
