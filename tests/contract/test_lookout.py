"""The promises of `Lookout`, kept by the fake and by the adapter against a small real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from relight.errors import StoreError, Unreachable
from relight.fence.adapters.observer import HttpLookout
from relight.fence.fake import FakeLookout
from relight.fence.port import Lookout
from relight.situation import Opinion
from rig.context import START
from rig.stores import free_port


@contextmanager
def serving(answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    """The URL of a server with an answer per path; any other path is 404."""

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(*opinions: Opinion) -> tuple[int, bytes]:
    return 200, json.dumps({"opinions": [o.model_dump(mode="json") for o in opinions]}).encode()


@pytest.fixture(params=["fake", "http"])
def east(request: pytest.FixtureRequest) -> Iterator[Lookout]:
    """An observer that sees the compute of north down and its storage up."""
    fake = FakeLookout("east", START)
    fake.see("north", up=False, reason="connection refused", progress={"digits": 120})
    fake.see("north", up=True, capability="storage")
    fake.see("south", up=True)
    if request.param == "fake":
        yield fake
        return
    paths = {f"/v1/sites/{site}": answer(*fake.opinions(site)) for site in ("north", "south", "moon")}
    with serving(paths) as url:
        yield HttpLookout("east", url)


def test_every_capability_of_the_site_is_seen_and_no_other_site(east: Lookout) -> None:
    seen = {(o.site, o.capability): o for o in east.opinions("north")}
    assert set(seen) == {("north", "compute"), ("north", "storage")}
    compute = seen["north", "compute"]
    assert (compute.observer, compute.up, compute.reason) == ("east", False, "connection refused")
    assert compute.progress == {"digits": 120}
    assert compute.since == START


def test_of_a_site_that_it_does_not_watch_it_says_nothing(east: Lookout) -> None:
    assert east.opinions("moon") == ()


def test_a_silent_fake_is_unreachable() -> None:
    fake = FakeLookout("east", START)
    fake.silent = True
    with pytest.raises(Unreachable):
        fake.opinions("north")


def test_its_clock_shows_the_time_that_it_answers_with() -> None:
    fake = FakeLookout("east", START)
    assert fake.clock() is None
    fake.shown = START
    assert fake.clock() == START
    before = datetime.now(UTC).replace(microsecond=0)
    with serving({}) as url:  # a page that is not there has a date as well
        shown = HttpLookout("east", url).clock()
    assert shown is not None
    assert before <= shown <= datetime.now(UTC)


def test_the_clock_of_who_does_not_answer_is_unreachable() -> None:
    fake = FakeLookout("east", START)
    fake.silent = True
    for lookout in (fake, HttpLookout("east", f"http://127.0.0.1:{free_port()}")):
        with pytest.raises(Unreachable):
            lookout.clock()


def test_where_nothing_listens_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="east"):
        HttpLookout("east", f"http://127.0.0.1:{free_port()}").opinions("north")


def test_who_accepts_and_never_answers_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(Unreachable, match="timed out"):
            HttpLookout("east", url).opinions("north")


def test_an_error_page_is_unreachable() -> None:
    with serving({"/v1/sites/north": (500, b"oops")}) as url, pytest.raises(Unreachable, match="500"):
        HttpLookout("east", url).opinions("north")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"opinions": [1]}', b"\xff\xfe"])
def test_what_is_no_observer_is_not_believed(body: bytes) -> None:
    with serving({"/v1/sites/north": (200, body)}) as url, pytest.raises(StoreError, match="observer"):
        HttpLookout("east", url).opinions("north")


def test_an_answer_without_end_is_cut_off() -> None:
    with (
        serving({"/v1/sites/north": (200, b"x" * 2_000_000)}) as url,
        pytest.raises(StoreError, match="too much"),
    ):
        HttpLookout("east", url).opinions("north")


def test_one_observer_under_two_names_has_no_second_voice(east: Lookout) -> None:
    with (
        serving({"/v1/sites/north": answer(*east.opinions("north"))}) as url,
        pytest.raises(StoreError, match="answers as east, not as west"),
    ):
        HttpLookout("west", url).opinions("north")
