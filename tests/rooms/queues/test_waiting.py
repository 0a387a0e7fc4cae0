"""Receivers that wait: woken by the sender, bounded in number, never without end."""

import threading
from datetime import timedelta

import pytest

from doors.notices import Office, queue_arn
from greatseal.domain.queues.waiting import LongPolls
from greatseal.kernel.clock import SystemClock
from greatseal.testing import FakeClock


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_sender_wakes_who_waits(storage):
    office = Office(storage, long_polls=1)
    office.queue()
    entered = threading.Event()
    polls = office.rooms.notices.queues.polls
    enter = polls._enter

    def noticed(arn):
        found = enter(arn)
        entered.set()
        return found

    polls._enter = noticed
    found = []
    receiving = office.rooms.notices.queues.receiving
    waiter = threading.Thread(
        target=lambda: found.extend(receiving.receive(queue_arn(), limit=1, visibility=None, wait=20))
    )
    waiter.start()
    assert entered.wait(10)
    office.sqs.send_message(QueueUrl="https://x/111122223333/queue", MessageBody="here")
    waiter.join(10)
    assert [each.body for each in found] == ["here"]


def test_who_finds_no_place_does_not_wait():
    polls = LongPolls(SystemClock(), places=0)
    calls = []
    assert polls.until_found("arn", 20, lambda: calls.append(1) or []) == []
    assert len(calls) == 1


def test_waiting_ends_with_its_time():
    clock = FakeClock()
    polls = LongPolls(clock, places=1)

    def attempt():
        clock.advance(timedelta(seconds=1))
        polls.ring("arn")
        return []

    assert polls.until_found("arn", 5, attempt) == []
    assert polls._taken == 0
    assert polls._waiting == {}


def test_a_stop_ends_all_waiting():
    polls = LongPolls(SystemClock(), places=1)
    attempts = []

    def attempt():
        attempts.append(1)
        if len(attempts) == 2:
            polls.stop()
        return []

    assert polls.until_found("arn", 20, attempt) == []
    assert polls.until_found("arn", 20, attempt) == []
