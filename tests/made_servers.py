"""Small servers and free ports for tests that run a program of somebody else against us."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from greatseal.edge.messages import HttpRequest, HttpResponse


def free_port() -> int:
    """A port that nobody listened on a moment ago, for programs that cannot pick one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def plain_server(handle: Callable[[HttpRequest], HttpResponse]) -> Iterator[int]:
    """GETs answered by a door of ours; yields the port."""

    class One(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            response = handle(HttpRequest("GET", self.path.encode(), b"", (), b"", "request"))
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name.decode(), value.decode())
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), One)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
