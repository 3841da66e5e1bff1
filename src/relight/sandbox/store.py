"""An object store that speaks S3: moto's server, with one bucket, in memory.

    python -m relight.sandbox.store FOLDER STORE

GET /_health answers without asking moto, which takes ten times as long.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import Client

from relight.sandbox.layout import ACCESS_KEY, BUCKET, SITES, Layout
from relight.sandbox.web import Deaf, Partition

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_STRANGER = (
    b"<Error><Code>InvalidAccessKeyId</Code>"
    b"<Message>The access key does not exist in our records.</Message></Error>"
)


class OneAtATime:
    """Lets one request at a time into moto, whose conditional writes two threads can otherwise both win."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ["PATH_INFO"] == "/_health":
            start_response("200 OK", [("Content-Length", "0")])
            return ()
        # The body is read before the lock is taken: a caller that stops halfway holds up nobody.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._lock:
            return list(self._app({**environ, "wsgi.input": io.BytesIO(body)}, start_response))


class OneKey:
    """Lets in who comes with the sandbox's access key, and nobody else; moto lets everybody in."""

    def __init__(self, app: WSGIApplication, access_key: str) -> None:
        self._app = app
        self._credential = f"Credential={access_key}/"

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if self._credential in environ.get("HTTP_AUTHORIZATION", "") or environ["PATH_INFO"] == "/_health":
            return self._app(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(
            "403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(_STRANGER)))]
        )
        return (_STRANGER,)


class StoreServer(Deaf, ThreadedWSGIServer):
    """The store of one site, or the witness."""

    def __init__(self, layout: Layout, store: str) -> None:
        app = create_backend_app("s3")
        Client(app).put(f"/{BUCKET}")
        access_key = (layout.folder / ACCESS_KEY).read_text(encoding="utf-8").strip()
        guarded = OneKey(OneAtATime(app), access_key)
        super().__init__("127.0.0.1", layout.ports[f"store-{store}"], guarded, _QuietHandler)
        if store in SITES:
            self.partition = Partition(layout.partition(store))


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        """Say nothing: a line for each request would drown the log."""


def main(folder: str, store: str) -> None:
    """Serve until killed."""
    StoreServer(Layout.load(Path(folder)), store).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
