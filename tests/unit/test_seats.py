"""Sockets of workers: one port, connections for each of them, and nobody else beside."""

import select
import socket
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest

from greatseal.app.seats import address_of, beside, bind, listen, reserve
from greatseal.settings import Address


def waiting(listening: socket.socket) -> int:
    """How many connections wait to be taken."""
    count = 0
    while select.select([listening], [], [], 0.05)[0]:
        listening.accept()[0].close()
        count += 1
    return count


@pytest.mark.parametrize("place", ["127.0.0.1:0", "[::1]:0"])
def test_connections_are_shared_out(place: str) -> None:
    with ExitStack() as stack:
        reserved = stack.enter_context(closing(reserve(Address(place))))
        workers = [stack.enter_context(closing(beside(reserved))) for _ in range(2)]
        for each in workers:
            listen(each)
        assert {address_of(each) for each in workers} == {address_of(reserved)}
        clients = [stack.enter_context(socket.create_connection(reserved.getsockname()[:2])) for _ in range(64)]
        taken = [waiting(each) for each in workers]
        assert sum(taken) == len(clients)
        assert min(taken) > 8


def test_a_worker_that_ended_or_is_starting_is_sent_nothing() -> None:
    with ExitStack() as stack:
        reserved = stack.enter_context(closing(reserve(Address("127.0.0.1:0"))))
        ended, at_work, starting = (stack.enter_context(closing(beside(reserved))) for _ in range(3))
        listen(ended)
        listen(at_work)
        ended.close()
        for _ in range(32):
            stack.enter_context(socket.create_connection(reserved.getsockname()[:2]))
        assert waiting(at_work) == 32
        with pytest.raises(OSError, match="Invalid argument"):
            starting.accept()


@pytest.mark.parametrize("first", [bind, lambda address: listening_beside(address)])
def test_two_services_are_never_on_one_port(first: Callable[[Address], socket.socket]) -> None:
    with closing(first(Address("127.0.0.1:0"))) as taken:
        same = Address(address_of(taken))
        for again in (bind, reserve):
            with pytest.raises(OSError, match="already in use"):
                again(same)


def listening_beside(address: Address) -> socket.socket:
    with closing(reserve(address)) as reserved:
        made = beside(reserved)
    listen(made)
    return made
