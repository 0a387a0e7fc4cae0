"""`/healthz`: does this process answer? `/readyz`: should requests be sent to it? (docs/observability.md)

The first is for whoever restarts processes, the second for whoever distributes requests. A database that is away must
not have every node restarted, so the first does not ask for it.
"""

from collections.abc import Callable, Mapping

from greatseal.edge.messages import HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler

_OK = "ok"


def live(version: str) -> Handler:
    """Answers 200."""

    def handle(request: HttpRequest) -> HttpResponse:
        return json_response(200, {"status": "ok", "version": version})

    return handle


def ready(found: Callable[[], Mapping[str, str]], version: str) -> Handler:
    """Answers 200 while every check that `found` tells is `ok`, otherwise 503 and which are not."""

    def handle(request: HttpRequest) -> HttpResponse:
        checks = dict(found())
        well = all(said == _OK for said in checks.values())
        status, word = (200, "ready") if well else (503, "unready")
        return json_response(status, {"status": word, "version": version, "checks": checks})

    return handle
