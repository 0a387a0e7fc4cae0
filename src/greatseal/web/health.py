"""`/healthz`: is this process alive and can it reach its database?"""

from collections.abc import Callable

from greatseal.edge.messages import HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler


def handler(probe: Callable[[], None], version: str) -> Handler:
    """Answers 200 while `probe` returns, 503 once it raises."""

    def handle(request: HttpRequest) -> HttpResponse:
        try:
            probe()
        except Exception:  # noqa: BLE001 - whatever is wrong, the answer is the same
            return json_response(503, {"status": "unavailable", "version": version})
        return json_response(200, {"status": "ok", "version": version})

    return handle
