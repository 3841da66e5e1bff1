"""What the adapters make of stores that are dead, silent, ill, or not what the estate says."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from relight.errors import Conflict, NotFound, StoreError, Unreachable, UsageError
from relight.estate import GcsStore, S3Store, Secrets
from relight.objects import ABSENT, ANY, ObjectStore, Version, prove_writes
from relight.objects.adapters.obstore import gcs_objects, s3_objects
from rig.gcs import GET_FAKE_GCS, find_fake_gcs, gcs_objects_at, gcs_store
from rig.stores import GET_VERSITYGW, find_versitygw, free_port, moto_store, objects_at, versitygw_store

OPERATIONS: dict[str, Callable[[ObjectStore], object]] = {
    "get": lambda objects: objects.get("a/b"),
    "range": lambda objects: objects.get_range("a/b", 0, 1),
    "put": lambda objects: objects.put("a/b", b"x", ANY),
    "create": lambda objects: objects.put("a/b", b"x", ABSENT),
    "list": lambda objects: objects.list("a"),
    "delete": lambda objects: objects.delete("a/b"),
}
LAST_MODIFIED = b"Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT"
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that says one thing to everybody; None: it accepts, and never says anything."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    with suppress(OSError):  # the client may be gone
                        connection.recv(65536)
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


def http(status: int, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)


@each_operation
def test_where_nothing_listens_is_unreachable(operation: Callable[[ObjectStore], object]) -> None:
    with pytest.raises(Unreachable, match="refused"):
        operation(objects_at(f"http://127.0.0.1:{free_port()}"))


@each_operation
def test_who_never_answers_is_unreachable_within_the_timeout(
    operation: Callable[[ObjectStore], object],
) -> None:
    declared = S3Store(kind="s3", bucket="points", access_key="cmd:echo a", secret_key="cmd:echo b")
    with answering(None) as endpoint:
        objects = s3_objects(
            "silent",
            declared.model_copy(update={"endpoint": endpoint}),
            Secrets(Path("/")),
            timeout=timedelta(seconds=0.3),
        )
        began = time.monotonic()
        with pytest.raises(Unreachable, match="timed out"):
            operation(objects)
        assert time.monotonic() - began < 1.5


@each_operation
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_store_that_cannot_now_may_be_asked_again(
    operation: Callable[[ObjectStore], object], status: int
) -> None:
    with answering(http(status)) as endpoint, pytest.raises(Unreachable, match=str(status)):
        operation(objects_at(endpoint))


@each_operation
def test_a_page_that_is_not_found_is_not_an_object_that_is_not_there(
    operation: Callable[[ObjectStore], object],
) -> None:
    with answering(http(404, b"<html>nginx</html>")) as endpoint, pytest.raises(StoreError) as caught:
        operation(objects_at(endpoint))
    assert not isinstance(caught.value, (NotFound, Unreachable))


def test_an_answer_that_is_cut_off_is_unreachable() -> None:
    head = (
        b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: "x"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT'
    )
    with answering(head + b"\r\n\r\nhalf") as endpoint, pytest.raises(Unreachable):
        objects_at(endpoint).get("a")


def test_a_store_without_etags_is_refused() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
    with answering(head + LAST_MODIFIED + b"\r\n\r\nx") as endpoint, pytest.raises(StoreError, match="ETag"):
        objects_at(endpoint).get("a")


@pytest.mark.parametrize("endpoint", ["http://[bad", "http://a b", "http://a:999999", "http://"])
def test_an_endpoint_that_is_no_address_is_wrong_usage(endpoint: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        objects_at(endpoint)


@pytest.fixture(scope="module")
def versitygw() -> Iterator[str]:
    program = find_versitygw()
    if not program:
        pytest.skip(f"no versitygw: {GET_VERSITYGW}")
    with versitygw_store(program) as url:
        yield url


@pytest.fixture(scope="module", params=["moto", "versitygw"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "versitygw":
        yield request.getfixturevalue("versitygw")
    else:
        with moto_store() as url:
            yield url


@each_operation
def test_a_missing_bucket_is_not_an_empty_one(
    endpoint: str, operation: Callable[[ObjectStore], object]
) -> None:
    with pytest.raises(StoreError, match="bucket") as caught:
        operation(objects_at(endpoint, bucket="missing"))
    assert not isinstance(caught.value, (NotFound, Unreachable))


@each_operation
@pytest.mark.parametrize("wrong", [{"access": "stranger"}, {"secret": "wrong"}], ids=["key", "secret"])
def test_wrong_credentials_are_not_an_empty_store(
    versitygw: str, operation: Callable[[ObjectStore], object], wrong: dict[str, str]
) -> None:
    with pytest.raises(StoreError, match="credentials") as caught:
        operation(objects_at(versitygw, **wrong))
    assert not isinstance(caught.value, (NotFound, Unreachable))


def test_a_session_token_of_the_environment_does_not_spoil_declared_credentials(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-somebody-else")
    objects_at(endpoint).put("a", b"1", ANY)


@pytest.fixture(scope="module")
def gcs() -> Iterator[str]:
    program = find_fake_gcs() or pytest.skip(f"no fake-gcs-server: {GET_FAKE_GCS}")
    with gcs_store(program) as url:
        yield url


@each_operation
def test_a_missing_bucket_of_cloud_storage_is_not_an_empty_one(
    gcs: str, operation: Callable[[ObjectStore], object]
) -> None:
    with pytest.raises(StoreError, match="bucket") as caught:
        operation(gcs_objects_at(gcs, bucket="missing"))
    assert not isinstance(caught.value, (NotFound, Unreachable))


def test_a_mark_that_is_no_generation_matches_nothing_and_is_asked_all_the_same(
    gcs: str,
) -> None:
    objects = gcs_objects_at(gcs, prefix="strange")
    objects.put("a", b"1", ANY)
    with pytest.raises(Conflict):
        objects.put("a", b"2", Version('"00000000000000000000000000000000"'))
    assert objects.get("a").content == b"1"
    prove_writes(objects, datetime(2026, 3, 1, tzinfo=UTC))


@each_operation
def test_cloud_storage_where_nothing_listens_is_unreachable(
    operation: Callable[[ObjectStore], object],
) -> None:
    with pytest.raises(Unreachable, match="refused"):
        operation(gcs_objects_at(f"http://127.0.0.1:{free_port()}"))


@each_operation
def test_cloud_storage_that_wants_fewer_writes_may_be_asked_again(
    operation: Callable[[ObjectStore], object],
) -> None:
    with answering(http(429)) as endpoint, pytest.raises(Unreachable, match="429"):
        operation(gcs_objects_at(endpoint))


def test_a_cloud_storage_without_generations_is_refused() -> None:
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: "x"\r\n'
    with (
        answering(head + LAST_MODIFIED + b"\r\n\r\nx") as endpoint,
        pytest.raises(StoreError, match="generation"),
    ):
        gcs_objects_at(endpoint).get("a")


def test_a_key_that_cannot_be_read_is_wrong_usage_and_not_quoted() -> None:
    declared = GcsStore(kind="gcs", bucket="points", key_file="cmd:echo sesame-open")
    with pytest.raises(UsageError, match="key_file") as caught:
        gcs_objects("rig", declared, Secrets(Path("/")))
    assert "sesame" not in str(caught.value)


def test_an_identity_of_the_environment_does_not_pass_for_the_declared_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", "/home/somebody/key.json")
    with pytest.raises(UsageError, match="GOOGLE_SERVICE_ACCOUNT of the environment"):
        gcs_objects_at("http://127.0.0.1:9")


def test_an_address_of_the_environment_does_not_lead_cloud_storage_elsewhere(
    gcs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_BASE_URL", f"http://127.0.0.1:{free_port()}")
    gcs_objects_at(gcs, prefix="elsewhere").put("a", b"1", ANY)
