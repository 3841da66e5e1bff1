"""The promises of the witness: who may write, claims, heads of journals; the fake and a real S3 server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from relight.errors import Conflict, Damaged, NotFound, Refused, Unreachable
from relight.fence.adapters.anchors import ObjectAnchors
from relight.fence.adapters.claims import ObjectClaims
from relight.fence.adapters.witness import ObjectWitness
from relight.objects import ANY, ObjectStore
from relight.objects.adapters.obstore import memory_objects
from relight.situation import Authority
from relight.vault.fake import BreakingObjects
from rig.context import START
from rig.races import race
from rig.stores import GET_VERSITYGW, find_versitygw, moto_store, objects_at, versitygw_store

FIRST = Authority(workload="digits", epoch=1, active="north", changed_by="init", changed_at=START)


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
def objects(make: Callable[[], ObjectStore]) -> BreakingObjects:
    return BreakingObjects(make())


@pytest.fixture
def witness(objects: ObjectStore) -> ObjectWitness:
    return ObjectWitness(objects)


@pytest.fixture
def claims(objects: ObjectStore) -> ObjectClaims:
    return ObjectClaims(objects)


@pytest.fixture
def anchors(objects: ObjectStore) -> ObjectAnchors:
    return ObjectAnchors(objects)


def raise_epoch(witness: ObjectWitness, by: str, above: int = 1, active: str = "south") -> Authority:
    return witness.raise_epoch(
        "digits", above=above, active=active, by=by, at=START + timedelta(seconds=above)
    )


# Authority


def test_what_nobody_declared_has_no_authority(witness: ObjectWitness) -> None:
    assert witness.authority("digits") is None
    with pytest.raises(NotFound):
        raise_epoch(witness, "run-1")


def test_the_first_declaration_stands(witness: ObjectWitness) -> None:
    assert witness.declare(FIRST) == FIRST
    assert witness.declare(FIRST.model_copy(update={"active": "south"})) == FIRST
    assert witness.authority("digits") == FIRST


def test_raising_the_epoch_makes_another_site_the_writer(witness: ObjectWitness) -> None:
    witness.declare(FIRST)
    raised = raise_epoch(witness, "run-1")
    assert (raised.epoch, raised.active, raised.changed_by) == (2, "south", "run-1")
    assert witness.authority("digits") == raised


def test_the_same_run_that_raises_again_gets_what_it_wrote_the_first_time(witness: ObjectWitness) -> None:
    witness.declare(FIRST)
    first = raise_epoch(witness, "run-1")
    again = witness.raise_epoch("digits", above=1, active="south", by="run-1", at=START + timedelta(hours=1))
    assert again == first


def test_another_run_is_told_who_was_first(witness: ObjectWitness) -> None:
    witness.declare(FIRST)
    raise_epoch(witness, "run-1")
    with pytest.raises(Conflict, match="run-1 made south the writer"):
        raise_epoch(witness, "run-2")


def test_an_epoch_that_has_moved_on_is_a_conflict_even_for_who_raised_it_once(
    witness: ObjectWitness,
) -> None:
    witness.declare(FIRST)
    raise_epoch(witness, "run-1")
    raise_epoch(witness, "run-2", above=2, active="north")
    with pytest.raises(Conflict, match="run-2"):
        raise_epoch(witness, "run-1")


def test_of_sixteen_runs_that_raise_one_epoch_one_wins(witness: ObjectWitness) -> None:
    witness.declare(FIRST)
    for above in (1, 2, 3):
        outcomes = race(16, lambda number, above=above: raise_epoch(witness, f"run-{above}-{number}", above))  # type: ignore[misc]
        won = [outcome for outcome in outcomes if isinstance(outcome, Authority)]
        assert len(won) == 1
        assert all(isinstance(outcome, (Authority, Conflict)) for outcome in outcomes)
        assert witness.authority("digits") == won[0]


def test_of_sixteen_that_declare_all_get_the_one_that_stands(witness: ObjectWitness) -> None:
    outcomes = race(
        16, lambda number: witness.declare(FIRST.model_copy(update={"changed_by": f"init-{number}"}))
    )
    assert set(outcomes) == {witness.authority("digits")}


def test_a_raise_whose_answer_was_lost_is_found_by_the_same_run(
    witness: ObjectWitness, objects: BreakingObjects
) -> None:
    witness.declare(FIRST)
    objects.operations, objects.allowed, objects.after_effect = 0, 1, True
    with pytest.raises(Unreachable):
        raise_epoch(witness, "run-1")
    objects.allowed = None
    assert raise_epoch(witness, "run-1").epoch == 2
    with pytest.raises(Conflict):
        raise_epoch(witness, "run-2")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"null"])
def test_a_document_that_cannot_be_read_is_damaged_and_not_missing(
    witness: ObjectWitness, objects: ObjectStore, content: bytes
) -> None:
    objects.put("authority/digits.json", content, ANY)
    with pytest.raises(Damaged, match="the witness's authority"):
        witness.authority("digits")
    with pytest.raises(Damaged):
        witness.declare(FIRST)


# Claims


def take(claims: ObjectClaims, run: str, *names: str) -> None:
    claims.take(run, names, holder=f"{run}@host", at=START)


def test_what_is_claimed_is_held_until_it_is_released(claims: ObjectClaims) -> None:
    assert claims.held() == {}
    take(claims, "run-1", "site:north", "workload:digits")
    assert set(claims.held()) == {"site:north", "workload:digits"}
    assert claims.held()["site:north"].run == "run-1"
    claims.release("run-1")
    claims.release("run-1")
    assert claims.held() == {}


def test_every_overlap_is_named_with_run_holder_and_time_and_nothing_is_taken(claims: ObjectClaims) -> None:
    take(claims, "run-1", "site:north", "workload:digits")
    with pytest.raises(Refused) as caught:
        take(claims, "run-2", "site:south", "site:north", "workload:digits")
    told = [reason.what for reason in caught.value.reasons]
    assert told == [
        "site:north is held by run-1 (run-1@host) since 2026-11-01 03:00:00Z",
        "workload:digits is held by run-1 (run-1@host) since 2026-11-01 03:00:00Z",
    ]
    assert {claim.run for claim in claims.held().values()} == {"run-1"}


def test_a_run_that_takes_again_keeps_what_it_has_since_when_it_had_it(claims: ObjectClaims) -> None:
    take(claims, "run-1", "site:north")
    claims.take("run-1", ("site:north", "site:south"), holder="elsewhere", at=START + timedelta(hours=1))
    assert claims.held()["site:north"].since == START
    assert claims.held()["site:south"].since == START + timedelta(hours=1)


def test_releasing_gives_back_only_what_the_run_held(claims: ObjectClaims) -> None:
    take(claims, "run-1", "site:north")
    take(claims, "run-2", "site:south")
    claims.release("run-1")
    assert {name: claim.run for name, claim in claims.held().items()} == {"site:south": "run-2"}


def test_of_sixteen_runs_with_an_overlap_one_wins_and_the_others_are_refused(claims: ObjectClaims) -> None:
    outcomes = race(16, lambda number: take(claims, f"run-{number}", "site:north", f"own:{number}"))
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, Refused) for outcome in outcomes)
    assert len({claim.run for claim in claims.held().values()}) == 1


def test_eight_runs_without_overlap_all_get_what_they_claim(claims: ObjectClaims) -> None:
    assert race(8, lambda number: take(claims, f"run-{number}", f"own:{number}")) == [None] * 8
    assert len(claims.held()) == 8


def test_a_take_whose_answer_was_lost_is_found_by_the_same_run(
    claims: ObjectClaims, objects: BreakingObjects
) -> None:
    objects.operations, objects.allowed, objects.after_effect = 0, 1, True
    with pytest.raises(Unreachable):
        take(claims, "run-1", "site:north")
    objects.allowed = None
    take(claims, "run-1", "site:north")
    with pytest.raises(Refused):
        take(claims, "run-2", "site:north")


# Anchors


def test_the_last_published_head_is_read(anchors: ObjectAnchors) -> None:
    assert anchors.read("run-1") is None
    anchors.publish("run-1", 3, "sha256:c")
    anchors.publish("run-1", 4, "sha256:d")
    assert anchors.read("run-1") == (4, "sha256:d")
    assert anchors.read("run-2") is None


def test_an_anchor_never_goes_back(anchors: ObjectAnchors) -> None:
    anchors.publish("run-1", 4, "sha256:d")
    anchors.publish("run-1", 4, "sha256:d")
    anchors.publish("run-1", 3, "sha256:c")
    assert anchors.read("run-1") == (4, "sha256:d")


def test_another_hash_of_the_same_event_is_refused(anchors: ObjectAnchors) -> None:
    anchors.publish("run-1", 4, "sha256:d")
    with pytest.raises(Refused, match="event 4"):
        anchors.publish("run-1", 4, "sha256:other")
    assert anchors.read("run-1") == (4, "sha256:d")


def test_of_sixteen_heads_published_at_once_the_furthest_stays(anchors: ObjectAnchors) -> None:
    outcomes = race(16, lambda number: anchors.publish("run-1", number, f"sha256:{number}"))
    assert outcomes == [None] * 16
    assert anchors.read("run-1") == (15, "sha256:15")
