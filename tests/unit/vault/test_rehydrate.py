"""Bringing a point back: in parts, resumed, verified, and passed over when it is not whole."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from relight.errors import LeaseLost, StoreError, Unreachable
from relight.objects import ANY
from relight.plan import Done, Failed, Outcome, Retry, Working
from relight.situation import PointSummary
from relight.vault import Manifest, Rehydrate, RestoredPoint, Vault
from relight.vault import landing as landing_module
from relight.vault.adapters.objects import ObjectVault
from relight.vault.fake import BreakingObjects, memory_vault
from relight.vault.handlers import RehydrateHandler
from rig.context import FakeContext
from rig.points import manifest_of, members_of, tensors


class World:
    """One store, "south", and where its points are to lie."""

    def __init__(self, folder: Path) -> None:
        self.south: ObjectVault
        self.south, self.store = memory_vault("south")
        self.folder = folder

    def vault(self, store: str) -> Vault:
        assert store == "south"
        return self.south

    def seal(self, step: int, epoch: int = 1, members: dict[str, bytes] | None = None) -> PointSummary:
        members = members or members_of(step)
        return self.south.seal(manifest_of(members, step=step, epoch=epoch, epoch_from=step - 5), members)

    def spoil(self, point: PointSummary, member: str, content: bytes | None) -> None:
        objects = self.store.objects
        key = next(k for k in objects.list(f"points/digits/{point.id}") if k.endswith(f"/{member}"))
        if content is None:
            objects.delete(key)
        else:
            objects.put(key, content, ANY)

    def spec(self, floor: str = "digits-e0001-s00000010", max_epoch: int = 1) -> Rehydrate:
        return Rehydrate(
            workload="digits", store="south", folder=str(self.folder), floor=floor, max_epoch=max_epoch
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "points")


def carry_out(
    world: World, spec: Rehydrate | None = None, context: FakeContext | None = None, budget: float = 1.5
) -> tuple[Outcome, list[Working]]:
    """The outcome that ends the attempt, and every Working before it."""
    handler = RehydrateHandler(world, budget_seconds=budget)
    context = context or FakeContext()
    waits: list[Working] = []
    while True:
        outcome = handler.attempt(spec or world.spec(), context)
        if not isinstance(outcome, Working):
            return outcome, waits
        waits.append(outcome)
        assert len(waits) < 1000


def restored(outcome: Outcome) -> RestoredPoint:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, RestoredPoint)
    return outcome.facts


def test_the_newest_point_lies_in_its_folder_whole_with_its_manifest(world: World) -> None:
    world.seal(10)
    newest = world.seal(20)
    facts = restored(carry_out(world)[0])
    assert (facts.id, facts.step, facts.sealed_at, facts.size) == (
        newest.id,
        20,
        newest.sealed_at,
        newest.size,
    )
    assert (facts.next_loss, facts.highest_loss, facts.passed_over) == (0.5, 2.0, ())
    folder = Path(facts.folder)
    assert folder == world.folder / newest.id
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "point.json"} == (
        members_of(20)
    )
    assert Manifest.model_validate_json((folder / "point.json").read_bytes()).summary() == newest


def test_what_lies_there_whole_is_not_fetched_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.seal(10)
    first = restored(carry_out(world)[0])
    monkeypatch.setattr(world.store, "get_range", None)
    context = FakeContext()
    assert restored(carry_out(world, context=context)[0]) == first
    assert context.checks == 0  # nothing was done


def test_points_of_a_later_epoch_and_below_the_floor_are_no_candidates(world: World) -> None:
    world.seal(10)
    agreed = world.seal(20)
    world.seal(25, epoch=2)
    facts = restored(carry_out(world, world.spec(floor=agreed.id))[0])
    assert facts.id == agreed.id
    world.spoil(agreed, "position.json", b"rot")
    for path in Path(facts.folder).iterdir():
        path.unlink()
    outcome, _ = carry_out(world, world.spec(floor=agreed.id))
    assert isinstance(outcome, Failed)
    assert agreed.id in outcome.reason
    assert "plan again" in outcome.remedy


def test_a_floor_that_is_listed_no_more_still_counts(world: World) -> None:
    world.seal(20)
    assert restored(carry_out(world, world.spec(floor="digits-e0001-s00000005"))[0]).step == 20
    assert isinstance(carry_out(world, world.spec(floor="digits-e0001-s00000021"))[0], Failed)
    assert isinstance(carry_out(world, world.spec(floor="nonsense"))[0], Failed)


def test_an_empty_store_fails_with_what_to_do(world: World) -> None:
    outcome, _ = carry_out(world)
    assert isinstance(outcome, Failed)
    assert outcome.remedy


@pytest.mark.parametrize("content", [b"rot", None, b""], ids=["changed", "missing", "empty"])
@pytest.mark.parametrize("member", ["weights.safetensors", "position.json", "manifest.json"])
def test_a_damaged_point_is_passed_over_for_the_one_before_and_named(
    world: World, member: str, content: bytes | None
) -> None:
    before, newest = world.seal(10), world.seal(20)
    world.spoil(newest, member, content)
    facts = restored(carry_out(world)[0])
    assert facts.id == before.id
    assert len(facts.passed_over) == 1
    assert facts.passed_over[0].startswith(f"{newest.id}: ")
    assert not (world.folder / newest.id).exists()


@pytest.mark.parametrize(
    "weights",
    [
        b"junk" * 20,
        tensors(b"12345678")[:-1],
        tensors(b"12345678") + b"x",
        b"\0" * 8 + b"{}",
        tensors(b"1234").replace(b'"U8"', b'"F4"'),
        (2).to_bytes(8, "little") + b"[]",
    ],
    ids=["junk", "short", "long", "no-header", "wrong-type", "no-table"],
)
def test_a_point_that_does_not_load_is_passed_over(world: World, weights: bytes) -> None:
    before = world.seal(10)
    newest = world.seal(20, members={"weights.safetensors": weights})
    facts = restored(carry_out(world)[0])
    assert facts.id == before.id
    assert newest.id in facts.passed_over[0]
    assert "does not load" in facts.passed_over[0]


def test_a_later_attempt_of_the_step_knows_what_was_passed_over_but_another_run_looks_anew(
    world: World,
) -> None:
    world.seal(10)
    newest = world.seal(20)
    world.spoil(newest, "position.json", b"rot")
    carry_out(world)
    world.spoil(newest, "position.json", members_of(20)["position.json"])
    assert restored(carry_out(world)[0]).step == 10
    assert restored(carry_out(world, context=FakeContext(run="run-2"))[0]).step == 20


def test_bytes_that_were_torn_on_this_side_are_fetched_again_and_nothing_is_passed_over(world: World) -> None:
    newest = world.seal(20)
    folder = world.folder / newest.id
    folder.mkdir(parents=True)
    (folder / ".position.json.part").write_bytes(b"\0\0\0")  # the length is on the disk, the bytes are not
    facts = restored(carry_out(world)[0])
    assert (facts.id, facts.passed_over) == (newest.id, ())


def test_only_the_member_that_was_torn_is_fetched_again(world: World) -> None:
    newest = world.seal(20)
    assert isinstance(carry_out(world)[0], Done)
    folder = world.folder / newest.id
    for name in ("point.json", "position.json"):
        (folder / name).unlink()
    (folder / ".position.json.part").write_bytes(b"\0\0\0")
    before = (folder / "weights.safetensors").stat()
    assert restored(carry_out(world)[0]).passed_over == ()
    after = (folder / "weights.safetensors").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("name", ["..", "../..", "", "/", "a/../.."])
def test_a_head_that_names_another_folder_removes_nothing_there(world: World, name: str) -> None:
    world.seal(10)
    kept = world.folder.parent / "kept"
    kept.write_text("x")
    key = "heads/digits.json"
    objects = world.store.objects
    head = json.loads(objects.get(key).content)
    head["points"].append({**head["points"][0], "id": name, "step": 99})
    objects.put(key, json.dumps(head).encode(), ANY)
    with contextlib.suppress(StoreError):
        assert restored(carry_out(world)[0]).step == 10
    assert kept.exists()


def test_a_part_file_that_is_too_long_is_begun_again(world: World) -> None:
    newest = world.seal(20)
    folder = world.folder / newest.id
    folder.mkdir(parents=True)
    (folder / ".position.json.part").write_bytes(b"x" * 1000)
    assert restored(carry_out(world)[0]).passed_over == ()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing_module, "PART_BYTES", 16)


@pytest.mark.usefixtures("small_parts")
def test_a_call_ends_with_its_budget_and_progress_grows(world: World) -> None:
    world.seal(20)
    outcome, waits = carry_out(world, budget=0.0005)
    assert restored(outcome).step == 20
    fractions = [wait.progress.fraction or 0.0 for wait in waits]
    assert fractions == sorted(fractions)
    assert all(" of " in wait.progress.note for wait in waits)


@pytest.mark.usefixtures("small_parts")
def test_a_fetch_that_is_cut_off_goes_on_where_it_was(world: World) -> None:
    newest = world.seal(20)
    reads: list[tuple[str, int]] = []
    real = world.store.get_range

    def counted(key: str, start: int, length: int) -> bytes:
        content = real(key, start, length)
        reads.append((key, start))
        return content

    world.store.get_range = counted  # type: ignore[method-assign]
    # Each life gets two parts further before the store stops to answer.
    lives = 0
    while True:
        lives += 1
        world.store.operations, world.store.allowed = 0, 5
        try:
            outcome, _ = carry_out(world)
        except Unreachable:
            continue
        break
    assert lives > 2
    assert restored(outcome).id == newest.id
    assert len(reads) == len(set(reads))  # no part was fetched twice


@pytest.mark.usefixtures("small_parts")
def test_a_controller_that_lost_its_lease_writes_no_further_part(world: World) -> None:
    world.seal(20)
    context = FakeContext(may_act=False)
    with pytest.raises(LeaseLost):
        carry_out(world, context=context)
    assert [path for path in world.folder.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_an_unreachable_store_passes_up_and_nothing_is_held_against_the_point(world: World) -> None:
    world.seal(10)
    newest = world.seal(20)
    for allowed in range(3):
        world.store.operations, world.store.allowed = 0, allowed
        with pytest.raises(Unreachable):
            carry_out(world)
    world.store.allowed = None
    facts = restored(carry_out(world)[0])
    assert (facts.id, facts.passed_over) == (newest.id, ())


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, Retry), (errno.EDQUOT, Retry), (errno.EROFS, Failed)]
)
def test_a_disk_that_refuses_says_which_folder_and_why(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Any]
) -> None:
    world.seal(20)

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    outcome, _ = carry_out(world)
    assert isinstance(outcome, kind)
    assert str(world.folder) in outcome.reason
    monkeypatch.undo()
    assert restored(carry_out(world)[0]).step == 20


def test_a_folder_that_is_a_file_fails_with_what_to_check(world: World) -> None:
    world.seal(20)
    world.folder.write_text("")
    outcome, _ = carry_out(world)
    assert isinstance(outcome, Failed)
    assert "check path" in outcome.remedy


def test_a_slow_store_does_not_keep_a_call_beyond_its_budget_and_one_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_module, "PART_BYTES", 16)
    world.seal(20)
    real = BreakingObjects.get_range

    def slow(self: BreakingObjects, key: str, start: int, length: int) -> bytes:
        time.sleep(0.01)
        return real(self, key, start, length)

    monkeypatch.setattr(BreakingObjects, "get_range", slow)
    handler = RehydrateHandler(world, budget_seconds=0.02)
    began = time.monotonic()
    assert isinstance(handler.attempt(world.spec(), FakeContext()), Working)
    assert time.monotonic() - began < 1


def test_a_point_without_losses_has_no_highest_one_that_could_fail_it(world: World) -> None:
    members = members_of(20)
    manifest = manifest_of(members, step=20).model_copy(update={"losses": ()})
    world.south.seal(manifest, members)
    facts = restored(carry_out(world)[0])
    assert json.loads(facts.model_dump_json())["highest_loss"] > 1e300
