"""The trial of a store: taken by stores that keep the promises, found out with those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from relight.errors import StoreError, Unreachable
from relight.objects import ANY, Condition, ObjectStore, Version, prove_right_to_move, prove_writes
from relight.objects.adapters.obstore import memory_objects
from relight.vault.fake import BreakingObjects
from rig.context import START
from rig.stores import GET_VERSITYGW, find_versitygw, moto_store, objects_at, versitygw_store


@pytest.fixture(scope="module", params=["memory", "moto", "versitygw"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[], ObjectStore]]:
    if request.param == "memory":
        yield memory_objects
    elif request.param == "moto":
        with moto_store() as endpoint:
            yield lambda: objects_at(endpoint, prefix=f"t{uuid4().hex}")
    elif program := find_versitygw():
        with versitygw_store(program) as endpoint:
            yield lambda: objects_at(endpoint, prefix=f"t{uuid4().hex}")
    else:
        pytest.skip(f"no versitygw: {GET_VERSITYGW}")


@pytest.fixture
def objects(make: Callable[[], ObjectStore]) -> ObjectStore:
    return make()


class Heedless(BreakingObjects):
    """A store that writes whatever the condition is."""

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        return super().put(key, content, ANY)


def test_a_store_that_keeps_its_promises_passes_and_keeps_nothing(objects: ObjectStore) -> None:
    objects.put("claims.json", b"{}", ANY)
    before = objects.get("claims.json")
    prove_writes(objects, datetime.now(UTC))
    assert prove_right_to_move(objects, "claims.json")
    assert not prove_right_to_move(objects, "absent.json")
    assert objects.list("") == ["claims.json"]
    assert objects.get("claims.json") == before


def test_what_a_trial_that_was_cut_off_has_left_goes_with_a_later_one(objects: ObjectStore) -> None:
    objects.put(f"preflight/{START:%Y%m%dT%H%M%SZ}-0123abcd", b"1", ANY)
    objects.put("preflight/mine.txt", b"1", ANY)
    prove_writes(objects, START + timedelta(minutes=9))
    assert len(objects.list("preflight")) == 2  # it may be that of another controller, at this very moment
    prove_writes(objects, START + timedelta(minutes=11))
    assert objects.list("preflight") == ["preflight/mine.txt"]


def test_a_store_that_ignores_conditions_is_found_out_and_keeps_nothing() -> None:
    heedless = Heedless(memory_objects())
    with pytest.raises(StoreError, match="although the condition"):
        prove_writes(heedless, START)
    heedless.put("claims.json", b"{}", ANY)
    with pytest.raises(StoreError, match="although the condition"):
        prove_right_to_move(heedless, "claims.json")
    assert heedless.list("") == ["claims.json"]
    assert heedless.get("claims.json").content == b"{}"


@pytest.mark.parametrize("allowed", range(6))
def test_a_store_that_falls_silent_in_between_is_unreachable(allowed: int) -> None:
    objects = BreakingObjects(memory_objects())
    objects.allowed, objects.after_effect = allowed, True
    with pytest.raises(Unreachable):
        prove_writes(objects, START)


def test_a_key_that_the_store_does_not_know_is_told() -> None:
    program = find_versitygw()
    if not program:
        pytest.skip(f"no versitygw: {GET_VERSITYGW}")
    with versitygw_store(program) as endpoint, pytest.raises(StoreError, match="SignatureDoesNotMatch"):
        prove_writes(objects_at(endpoint, secret="wrong"), START)
