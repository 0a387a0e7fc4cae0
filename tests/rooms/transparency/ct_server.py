"""A log's door on a real socket of 127.0.0.1, for clients that go over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from greatseal.edge.messages import HttpRequest
from greatseal.edge.mounts import Handler


@contextmanager
def serving(door: Handler) -> Iterator[str]:
    """The base URL at which the door answers."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            size = int(self.headers.get("content-length") or 0)
            headers = tuple((name.lower().encode(), value.encode()) for name, value in self.headers.items())
            answer = door(
                HttpRequest(self.command, path.encode(), query.encode(), headers, self.rfile.read(size), "request-1")
            )
            self.send_response(answer.status)
            for name, value in (*answer.headers, (b"content-length", str(len(answer.body)).encode())):
                self.send_header(name.decode(), value.decode())
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
