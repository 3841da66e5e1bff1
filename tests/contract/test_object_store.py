"""The promises of `ObjectStore`, kept by the fake and by the adapters against real servers.

fake-gcs-server has conditions on uploads, which is all that the port asks for; it silently ignores those on
deletes, composes and patches, and all retention and holds: nothing of those is tried here. See rig/gcs.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from relight.errors import Conflict, NotFound, StoreError
from relight.objects import ABSENT, ANY, Condition, ObjectStore, Version
from relight.objects.adapters.obstore import memory_objects
from rig.gcs import GET_FAKE_GCS, find_fake_gcs, gcs_objects_at, gcs_store
from rig.races import race
from rig.stores import (
    GET_VERSITYGW,
    find_versitygw,
    moto_store,
    objects_at,
    versitygw_store,
)


@pytest.fixture(scope="module", params=["memory", "moto", "versitygw", "gcs"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[], ObjectStore]]:
    """Makes stores that are empty."""
    if request.param == "memory":
        yield memory_objects
    elif request.param == "moto":
        with moto_store() as endpoint:
            yield lambda: objects_at(endpoint, prefix=f"t{uuid4().hex}")
    elif request.param == "versitygw":
        program = find_versitygw() or pytest.skip(f"no versitygw: {GET_VERSITYGW}")
        with versitygw_store(program) as endpoint:
            yield lambda: objects_at(endpoint, prefix=f"t{uuid4().hex}")
    else:
        program = find_fake_gcs() or pytest.skip(f"no fake-gcs-server: {GET_FAKE_GCS}")
        with gcs_store(program) as endpoint:
            yield lambda: gcs_objects_at(endpoint, prefix=f"t{uuid4().hex}")


@pytest.fixture
def objects(make: Callable[[], ObjectStore]) -> ObjectStore:
    return make()


def test_what_was_put_is_got_with_the_version_that_put_returned(objects: ObjectStore) -> None:
    version = objects.put("a/b", b"content", ANY)
    assert objects.get("a/b").content == b"content"
    assert objects.get("a/b").version == version


def test_any_overwrites_and_the_version_changes(objects: ObjectStore) -> None:
    first = objects.put("a", b"1", ANY)
    second = objects.put("a", b"2", ANY)
    assert first != second
    assert objects.get("a").content == b"2"


def test_an_empty_object_is_an_object(objects: ObjectStore) -> None:
    objects.put("empty", b"", ABSENT)
    assert objects.get("empty").content == b""
    assert objects.get_range("empty", 0, 10) == b""
    assert objects.list("") == ["empty"]


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, 4, b"0123"), (8, 5, b"89"), (0, 100, b"0123456789"), (10, 1, b""), (99, 5, b""), (3, 0, b"")],
)
def test_a_range_is_short_only_at_the_end(
    objects: ObjectStore, start: int, length: int, expected: bytes
) -> None:
    objects.put("digits", b"0123456789", ANY)
    assert objects.get_range("digits", start, length) == expected


def test_what_is_not_there_is_not_found(objects: ObjectStore) -> None:
    with pytest.raises(NotFound):
        objects.get("nothing")
    with pytest.raises(NotFound):
        objects.get_range("nothing", 0, 5)
    with pytest.raises(NotFound):
        objects.get_range("nothing", 0, 0)


def test_absent_does_not_overwrite(objects: ObjectStore) -> None:
    objects.put("a", b"1", ABSENT)
    with pytest.raises(Conflict):
        objects.put("a", b"2", ABSENT)
    assert objects.get("a").content == b"1"


def test_a_version_that_is_gone_does_not_write(objects: ObjectStore) -> None:
    first = objects.put("a", b"1", ANY)
    second = objects.put("a", b"2", first)
    with pytest.raises(Conflict):
        objects.put("a", b"3", first)
    assert objects.get("a").content == b"2"
    objects.put("a", b"3", second)
    assert objects.get("a").content == b"3"


def test_a_version_of_what_was_removed_does_not_write(objects: ObjectStore) -> None:
    version = objects.put("a", b"1", ANY)
    objects.delete("a")
    with pytest.raises(Conflict):
        objects.put("a", b"2", version)
    assert objects.list("") == []


def test_a_folder_lists_what_is_below_it_sorted_and_nothing_beside_it(objects: ObjectStore) -> None:
    for key in ("a/b/2", "a/b/1", "a/b/c/3", "a/bc", "a/d", "other/x"):
        objects.put(key, b"", ANY)
    assert objects.list("a/b") == ["a/b/1", "a/b/2", "a/b/c/3"]
    assert objects.list("a") == ["a/b/1", "a/b/2", "a/b/c/3", "a/bc", "a/d"]
    assert objects.list("nothing") == []


def test_removing_is_done_once_and_the_second_time_is_no_error(objects: ObjectStore) -> None:
    objects.put("a", b"1", ANY)
    objects.delete("a")
    objects.delete("a")
    with pytest.raises(NotFound):
        objects.get("a")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\nb"])
def test_what_is_no_key_is_refused_and_not_quietly_another(objects: ObjectStore, key: str) -> None:
    for act in (
        lambda: objects.put(key, b"", ANY),
        lambda: objects.get(key),
        lambda: objects.delete(key),
    ):
        with pytest.raises(StoreError):
            act()
    assert objects.list("") == []


def test_keys_with_spaces_dots_and_umlauts_come_back_as_they_are(objects: ObjectStore) -> None:
    keys = sorted(["a b", "ü/ä", "a%20b", "x.json", "..x", "v1.2/y+z"])
    for key in keys:
        objects.put(key, key.encode(), ANY)
    assert objects.list("") == keys
    assert [objects.get(key).content.decode() for key in keys] == keys


def test_of_sixteen_that_create_one_wins(objects: ObjectStore) -> None:
    for turn in range(5):
        outcomes = sixteen_put(objects, f"k{turn}", ABSENT)
        assert_one_won(objects, f"k{turn}", outcomes)


def test_of_sixteen_that_replace_a_version_one_wins(objects: ObjectStore) -> None:
    version = objects.put("head", b"start", ANY)
    for _ in range(5):
        version = assert_one_won(objects, "head", sixteen_put(objects, "head", version))


def sixteen_put(objects: ObjectStore, key: str, condition: Condition) -> list[Version | Exception]:
    content = uuid4().hex
    return race(16, lambda number: objects.put(key, f"{content} {number}".encode(), condition))


def assert_one_won(objects: ObjectStore, key: str, outcomes: list[Version | Exception]) -> Version:
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(won) == 1
    assert all(isinstance(outcome, (str, Conflict)) for outcome in outcomes)
    assert objects.get(key).version == won[0]
    return Version(won[0])
