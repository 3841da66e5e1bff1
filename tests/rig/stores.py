"""Real object stores on loopback: moto's server in a thread, and versitygw as a process where it is there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from relight.estate import S3Store, Secrets
from relight.objects import ObjectStore
from relight.objects.adapters.obstore import REQUEST_TIMEOUT, s3_objects
from relight.sandbox.store import OneAtATime

BUCKET = "points"
ACCESS, SECRET = "a", "b"
GET_VERSITYGW = "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None: ...


@contextmanager
def moto_store() -> Iterator[str]:
    """The endpoint of moto's server, with `BUCKET` in it."""
    app = create_backend_app("s3")
    Client(app).put(f"/{BUCKET}")
    server = make_server("127.0.0.1", 0, OneAtATime(app), threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def find_versitygw() -> str | None:
    """Where versitygw is, also if Go's folder for programs is not on PATH."""
    return shutil.which("versitygw") or shutil.which("versitygw", path=str(Path.home() / "go/bin"))


@contextmanager
def versitygw_store(program: str) -> Iterator[str]:
    """The endpoint of a versitygw over a fresh folder, with `BUCKET` in it."""
    # Beside the tests' own folders: tmpfs may lack the extended attributes that it keeps ETags in.
    with TemporaryDirectory(prefix="versitygw-") as folder:
        (Path(folder) / BUCKET).mkdir()
        port = free_port()
        credentials = ["--access", ACCESS, "--secret", SECRET]
        process = subprocess.Popen(
            [program, *credentials, "--port", f"127.0.0.1:{port}", "--quiet", "posix", folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ),
        )
        try:
            await_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def objects_at(
    endpoint: str, *, bucket: str = BUCKET, prefix: str = "", access: str = ACCESS, secret: str = SECRET
) -> ObjectStore:
    """The adapter, as an estate would declare it."""
    declared = S3Store(
        kind="s3",
        bucket=bucket,
        prefix=prefix,
        endpoint=endpoint,
        access_key=f"cmd:echo {access}",
        secret_key=f"cmd:echo {secret}",
    )
    return s3_objects("rig", declared, Secrets(Path("/")), REQUEST_TIMEOUT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def await_port(port: int) -> None:
    """Come back when something listens there. Raise TimeoutError after 15 s."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on {port}")
