"""A proxy in front of a real S3 server that breaks what it is told to break, and remembers what was asked.

Here: forwarding with the same Host header, so that signatures stay valid; faults by rule. Not here: fixtures, S3.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HOP_BY_HOP = {"connection", "expect", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked: path and query as on the wire."""

    method: str
    path: str
    body: bytes


@dataclass(slots=True)
class Fault:
    """What happens to the requests that match, so many times."""

    when: Callable[[Request], bool]
    times: float = float("inf")
    status: int | None = None
    """Answer this, with ``code`` as S3's error code, instead of forwarding."""
    code: str = "SlowDown"
    keep: int | None = None
    """Forward, but send only so many bytes of the body that was announced, and hang up."""


@dataclass(slots=True)
class FaultProxy:
    """The running proxy: its address, what to break, what has been asked."""

    endpoint: str
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_of(self, request: Request) -> Fault | None:
        """Record a request, and return the fault that it meets."""
        with self._lock:
            self.requests.append(request)
            for fault in self.faults:
                if fault.times > 0 and fault.when(request):
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def running_proxy(upstream: tuple[str, int]) -> Iterator[FaultProxy]:
    """Run a proxy in front of the server at this host and port, on a free port of the loopback."""
    listener = _Listener(upstream)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listener.proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.proxy = FaultProxy(f"http://127.0.0.1:{self.server_port}")

    def handle_error(self, *arguments: object) -> None:
        """Say nothing: clients hang up, which is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.fault_of(Request(self.command, self.path, body))
        if fault and fault.status:
            answer = f"<Error><Code>{fault.code}</Code><Message>as told</Message></Error>".encode()
            self._answer(fault.status, [("Content-Type", "application/xml")], answer, len(answer))
            return
        connection = HTTPConnection(*self.server.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            self._pass_on(connection.getresponse(), fault)
        finally:
            connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815  http.server's names

    def log_message(self, *arguments: object) -> None:
        """Say nothing: the proxy's ``requests`` are the log."""

    def _pass_on(self, response: HTTPResponse, fault: Fault | None) -> None:
        content = response.read()
        announced = int(response.headers.get("Content-Length", len(content)))
        headers = [item for item in response.headers.items() if item[0].lower() not in _HOP_BY_HOP]
        if fault and fault.keep is not None:
            content = content[: fault.keep]
            self.close_connection = True
        self._answer(response.status, headers, content, announced)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, announced: int) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(content)


def free_port() -> int:
    """Return a port of the loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_pair_of_ports() -> int:
    """Return a port on which nothing listens, nor on the next one."""
    while True:
        port = free_port()
        with suppress(OSError, OverflowError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + 1))
            return port
