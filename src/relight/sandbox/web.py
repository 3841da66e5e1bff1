"""What the small HTTP servers of the sandbox share: JSON in and out, and deafness to some callers."""

from __future__ import annotations

import json
import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from relight.errors import NotFound, Refused

_LARGEST_BODY_BYTES = 1 << 20

Response = tuple[int, dict[str, Any] | None]


class Partition:
    """The callers that a site does not answer, as a small file says; no file: it answers everybody."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: int | None = None
        self._deaf_to: frozenset[str] = frozenset()

    def hears(self, address: str) -> bool:
        """Whether a call from this address is answered now."""
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return True
        if changed != self._seen:
            self._deaf_to = frozenset(json.loads(self._path.read_bytes())["deaf_to"])
            self._seen = changed
        return address not in self._deaf_to


class Deaf(HTTPServer):
    """Mixed into a server: a caller behind the partition finds its connection closed without a word."""

    partition: Partition | None = None

    def verify_request(self, _request: Any, client_address: Any) -> bool:
        """See socketserver: False closes the connection."""
        return self.partition is None or self.partition.hears(str(client_address[0]))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that give up are nothing to log; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def server_bind(self) -> None:
        """Bind, without asking the resolver for this host's name: that may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "sandbox", self.server_address[1]


class JsonServer(Deaf, ThreadingHTTPServer):
    """A threaded server that dies with its process."""

    daemon_threads = True
    request_queue_size = 64


class JsonHandler(BaseHTTPRequestHandler):
    """Calls `respond`, and sends what it returns; a handler of this room says only what it answers."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def respond(self, method: str, path: str, body: dict[str, Any]) -> Response:
        """Status and JSON body. NotFound becomes 404, Refused 409, ValueError 400."""
        raise NotImplementedError

    def setup(self) -> None:
        """Answers are small and written in two parts: send them at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: Any) -> None:
        """Say nothing: a line for each request would drown the log."""

    def _answer(self) -> None:
        try:
            status, data = self.respond(self.command, self.path, self._read_body())
        except NotFound as error:
            status, data = 404, {"error": str(error)}
        except Refused as error:
            status, data = 409, {"error": str(error)}
        except ValueError as error:
            status, data = 400, {"error": str(error)}
        content = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _read_body(self) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= _LARGEST_BODY_BYTES:
            self.close_connection = True
            raise ValueError("the body is too large")
        data = json.loads(self.rfile.read(length) or b"{}")
        if not isinstance(data, dict):
            raise ValueError("the body must be a JSON object")  # noqa: TRY004 - one error for one answer
        return data

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names
