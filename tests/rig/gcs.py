"""A Cloud Storage on loopback: fake-gcs-server, behind a front that speaks the XML API to it.

Obstore speaks Cloud Storage's XML API, of which fake-gcs-server (1.56) knows neither uploads nor
conditions; its JSON API has both. So the front passes each request on in JSON. What is really tried is
obstore and our adapter on one side, and the server's objects, generations and `ifGenerationMatch` on the
other; the words of XML's answers are the front's own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import quote
from xml.sax.saxutils import escape

import httpx
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from relight.estate import GcsStore, Secrets
from relight.objects import ObjectStore
from relight.objects.adapters.obstore import REQUEST_TIMEOUT, gcs_objects
from rig.stores import BUCKET, await_port, free_port

GET_FAKE_GCS = "go install github.com/fsouza/fake-gcs-server@v1.56.0"
# A key that needs no token: obstore's own word for servers like this one.
NO_KEY = json.dumps(
    {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": "", "type": "none"}
)
_CODES = {400: "InvalidArgument", 404: "NoSuchKey", 412: "PreconditionFailed", 416: "InvalidRange"}


def find_fake_gcs() -> str | None:
    """Where fake-gcs-server is, also if Go's folder for programs is not on PATH."""
    return shutil.which("fake-gcs-server") or shutil.which(
        "fake-gcs-server", path=str(Path.home() / "go/bin")
    )


@contextmanager
def fake_gcs(program: str) -> Iterator[str]:
    """The JSON endpoint of a fresh fake-gcs-server in memory, with `BUCKET` in it."""
    port = free_port()
    options = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    process = subprocess.Popen(
        [program, *options, "-log-level", "error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await_port(port)
        address = f"http://127.0.0.1:{port}"
        httpx.post(f"{address}/storage/v1/b", json={"name": BUCKET}).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def gcs_store(program: str) -> Iterator[str]:
    """The XML endpoint of a fresh fake-gcs-server, with `BUCKET` in it."""
    with fake_gcs(program) as address, httpx.Client(base_url=address) as client:
        front = _Front(client)
        answer = Request.application(front.answer)
        server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def gcs_objects_at(endpoint: str, *, bucket: str = BUCKET, prefix: str = "") -> ObjectStore:
    """The adapter, as an estate would declare it."""
    declared = GcsStore(
        kind="gcs", bucket=bucket, prefix=prefix, endpoint=endpoint, key_file=f"cmd:printf %s '{NO_KEY}'"
    )
    return gcs_objects("rig", declared, Secrets(Path("/")), REQUEST_TIMEOUT)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None: ...


class _Front:
    """The XML API of Cloud Storage, as far as obstore uses it, in terms of the JSON API."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def answer(self, request: Request) -> Response:
        """What Cloud Storage would say."""
        bucket, _, key = request.path[1:].partition("/")
        if not key:
            return self._list(bucket, request)
        match request.method:
            case "PUT":
                return self._put(bucket, key, request)
            case "DELETE":
                answer = self._client.delete(_object(bucket, key))
                return self._failed(bucket, answer) or Response(status=204)
            case _:
                return self._get(bucket, key, request)

    def _put(self, bucket: str, key: str, request: Request) -> Response:
        query = {"uploadType": "media", "name": key}
        if wanted := request.headers.get("x-goog-if-generation-match"):
            query["ifGenerationMatch"] = wanted
        answer = self._client.post(
            f"/upload/storage/v1/b/{bucket}/o", params=query, content=request.get_data()
        )
        return self._failed(bucket, answer) or Response(headers=_marks(answer.json()))

    def _get(self, bucket: str, key: str, request: Request) -> Response:
        said = self._client.get(_object(bucket, key))
        if failed := self._failed(bucket, said):
            return failed
        about = said.json()
        headers = {"Range": request.headers["Range"]} if "Range" in request.headers else {}
        pinned = {"alt": "media", "generation": about["generation"]}
        answer = self._client.get(_object(bucket, key), params=pinned, headers=headers)
        if failed := self._failed(bucket, answer):
            return failed
        kept = {name: answer.headers[name] for name in ("Content-Range",) if name in answer.headers}
        modified = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        return Response(answer.content, answer.status_code, headers=_marks(about) | modified | kept)

    def _list(self, bucket: str, request: Request) -> Response:
        answer = self._client.get(
            f"/storage/v1/b/{bucket}/o", params={"prefix": request.args.get("prefix", "")}
        )
        if failed := self._failed(bucket, answer):
            return failed
        entries = "".join(
            f"<Contents><Key>{escape(item['name'])}</Key><LastModified>2015-10-21T07:28:00.000Z</LastModified>"
            f"<Size>{item['size']}</Size><ETag>{item['etag']}</ETag></Contents>"
            for item in answer.json().get("items", ())
        )
        return Response(f"<ListBucketResult>{entries}</ListBucketResult>", mimetype="application/xml")

    def _failed(self, bucket: str, answer: httpx.Response) -> Response | None:
        """What XML says where JSON failed; None: it did not."""
        if answer.is_success:
            return None
        code = _CODES.get(answer.status_code, "InternalError")
        if code == "NoSuchKey" and not self._client.get(f"/storage/v1/b/{bucket}").is_success:
            code = "NoSuchBucket"
        body = f"<Error><Code>{code}</Code><Message>{escape(answer.text[:200])}</Message></Error>"
        return Response(body, answer.status_code, mimetype="application/xml")


def _object(bucket: str, key: str) -> str:
    return f"/storage/v1/b/{bucket}/o/{quote(key, safe='')}"


def _marks(about: dict[str, str]) -> dict[str, str]:
    return {"ETag": f'"{about["etag"]}"', "x-goog-generation": about["generation"]}
