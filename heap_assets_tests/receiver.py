"""A real HTTP receiver of alerts: keeps what is posted as JSON, and refuses while it is told to.

Here: the server. Not here: who posts.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """What has arrived; ``url`` is its address as Apprise writes it, with a secret in it."""

    SECRET = "token-that-nobody-may-see"  # noqa: S105

    def __init__(self, port: int) -> None:
        self.url = f"json://127.0.0.1:{port}/{self.SECRET}"
        self.messages: list[dict[str, str]] = []
        self.refuses = False

    def titles(self) -> list[str]:
        """Return the titles of the messages, in order."""
        return [message["title"] for message in self.messages]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not lent.refuses:
                lent.messages.append(body)
            self.send_response(503 if lent.refuses else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    lent = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield lent
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
