"""Fencing a store, copying a point, and what the vault asks in a survey."""

from __future__ import annotations

import pytest

from relight.errors import LeaseLost, Unreachable
from relight.plan import Done, Failed, Working
from relight.situation import PointSummary
from relight.vault import CopiedPoint, CopyPoint, FencedStore, FenceStore, Vault
from relight.vault.fake import memory_vault
from relight.vault.handlers import CopyPointHandler, FenceStoreHandler
from rig.context import FakeContext
from rig.points import manifest_of, members_of


class World:
    def __init__(self) -> None:
        self.north, self.north_store = memory_vault("north")
        self.south, self.south_store = memory_vault("south")

    def vault(self, store: str) -> Vault:
        return {"north": self.north, "south": self.south}[store]

    def seal(self, step: int, epoch: int = 1) -> PointSummary:
        members = members_of(step)
        return self.north.seal(manifest_of(members, step=step, epoch=epoch), members)


@pytest.fixture
def world() -> World:
    return World()


def fence(epoch: int, *, if_reachable: bool = False) -> FenceStore:
    return FenceStore(store="north", workload="digits", epoch=epoch, if_reachable=if_reachable)


def copy(at_least_step: int = 0) -> CopyPoint:
    return CopyPoint(workload="digits", source="north", target="south", at_least_step=at_least_step)


def test_a_fenced_store_has_the_epoch_and_a_second_attempt_does_nothing(world: World) -> None:
    handler, context = FenceStoreHandler(world), FakeContext()
    assert handler.attempt(fence(2), context) == Done(FencedStore(epoch=2))
    assert handler.attempt(fence(2), context) == Done(FencedStore(epoch=2))
    assert context.checks == 1
    assert world.north.epoch("digits") == 2


def test_a_store_of_a_later_epoch_is_fenced_enough_and_not_lowered(world: World) -> None:
    world.north.raise_epoch("digits", 5)
    assert FenceStoreHandler(world).attempt(fence(2), FakeContext()) == Done(FencedStore(epoch=5))


def test_without_the_lease_no_store_is_fenced(world: World) -> None:
    with pytest.raises(LeaseLost):
        FenceStoreHandler(world).attempt(fence(2), FakeContext(may_act=False))
    assert world.north.epoch("digits") == 0


def test_a_silent_store_is_no_success_unless_the_step_says_so(world: World) -> None:
    for allowed in range(2):
        world.north_store.operations, world.north_store.allowed = 0, allowed
        with pytest.raises(Unreachable):
            FenceStoreHandler(world).attempt(fence(2), FakeContext())
        world.north_store.operations = 0
        done = FenceStoreHandler(world).attempt(fence(2, if_reachable=True), FakeContext())
        assert done == Done(FencedStore(epoch=0))


def test_the_copy_waits_until_the_source_has_the_step(world: World) -> None:
    handler = CopyPointHandler(world)
    assert isinstance(handler.attempt(copy(20), FakeContext()), Working)
    world.seal(10)
    waiting = handler.attempt(copy(20), FakeContext())
    assert isinstance(waiting, Working)
    assert "step 10" in waiting.progress.note
    point = world.seal(20)
    done = handler.attempt(copy(20), FakeContext())
    assert done == Done(CopiedPoint(id=point.id, step=20, sealed_at=point.sealed_at))
    assert world.south.points("digits") == (point,)


def test_a_point_that_is_there_already_is_not_copied_again(world: World) -> None:
    world.seal(10)
    handler, context = CopyPointHandler(world), FakeContext()
    assert handler.attempt(copy(), context) == handler.attempt(copy(), context)
    assert context.checks == 1


def test_a_copy_that_was_cut_off_anywhere_succeeds_the_next_time(world: World) -> None:
    point = world.seal(10)
    handler = CopyPointHandler(world)
    for allowed in range(20):
        world.south_store.operations, world.south_store.allowed = 0, allowed
        try:
            outcome = handler.attempt(copy(), FakeContext())
        except Unreachable:
            continue
        assert isinstance(outcome, Done)
        break
    world.south_store.allowed = None
    assert world.south.points("digits") == (point,)


def test_a_target_that_is_fenced_for_a_later_epoch_fails_the_copy(world: World) -> None:
    world.seal(10)
    world.south.raise_epoch("digits", 2)
    outcome = CopyPointHandler(world).attempt(copy(), FakeContext())
    assert isinstance(outcome, Failed)
    assert "epoch 2" in outcome.reason


def test_without_the_lease_nothing_is_copied(world: World) -> None:
    world.seal(10)
    with pytest.raises(LeaseLost):
        CopyPointHandler(world).attempt(copy(), FakeContext(may_act=False))
    assert world.south_store.objects.list("") == []
