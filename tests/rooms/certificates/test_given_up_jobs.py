"""A request whose job fails time after time ends as FAILED, and nobody waits for it for ever."""

import pytest

from doors.acm_material import Acm


class Defect(Exception):
    """Something is wrong with the program, not with the request."""


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_request_that_cannot_be_carried_out_ends_as_failed(storage, monkeypatch):
    acm = Acm(storage)
    arn = acm.request(acm.root())

    def fail(*_):
        raise Defect

    monkeypatch.setattr(acm.installation.rooms.requests._issuing, "issue", fail)
    for _ in range(12):
        assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
        acm.work()
        acm.advance(hours=1)
    detail = acm.detail(arn)
    assert (detail["Status"], detail["FailureReason"]) == ("FAILED", "OTHER")
    assert acm.work() == 0
