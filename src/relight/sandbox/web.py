"""What the small HTTP servers of the sandbox share: JSON in and out, and deafness to some callers."""

from __future__ import annotations

import json
import socket
import socketserver
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_LARGEST_BODY_BYTES = 1 << 20


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

    def server_bind(self) -> None:
        """Bind without asking the resolver for this host's name, as the one above does: it may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "sandbox", self.server_address[1]


class JsonServer(Deaf, ThreadingHTTPServer):
    """A threaded server that dies with its process."""

    daemon_threads = True
    request_queue_size = 64


class JsonHandler(BaseHTTPRequestHandler):
    """Answers in JSON; one line per request would drown the logs, so it keeps quiet."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def setup(self) -> None:
        """Answers are small and written in two parts: send them at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, status: int, body: Any = None) -> None:
        """Send a status, with a JSON body if there is one."""
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> dict[str, Any]:
        """The JSON object that came with the request. Raise ValueError for anything else."""
        length = int(self.headers.get("Content-Length", 0))
        if length > _LARGEST_BODY_BYTES:
            self.close_connection = True
            raise ValueError("the body is too large")
        data = json.loads(self.rfile.read(length) or b"{}")
        if not isinstance(data, dict):
            raise ValueError("the body must be a JSON object")  # noqa: TRY004 - one error for one answer
        return data
