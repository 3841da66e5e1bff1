"""A trainer of the sandbox seals, and stops for good once it is fenced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from relight.errors import Unreachable
from relight.fence.adapters.witness import ObjectWitness
from relight.objects.adapters.obstore import memory_objects
from relight.sandbox.checkpoint import to_manifest, to_members
from relight.sandbox.model import TrainingState
from relight.sandbox.replicator import Replicator
from relight.sandbox.sealing import Sealer
from relight.situation import Authority
from relight.vault import Manifest
from relight.vault.adapters.objects import ObjectVault

NOW = datetime(2026, 7, 13, 3, 0, tzinfo=UTC)


class SilentWitness(ObjectWitness):
    def authority(self, workload: str) -> Authority | None:
        raise Unreachable("the witness does not answer")


@pytest.fixture
def vault() -> ObjectVault:
    return ObjectVault(memory_objects(), "north")


@pytest.fixture
def witness() -> ObjectWitness:
    witness = ObjectWitness(memory_objects())
    witness.declare(Authority(workload="digits", epoch=1, active="north", changed_by="init", changed_at=NOW))
    return witness


def point(step: int, epoch: int = 1, epoch_from: int = 0) -> tuple[Manifest, Mapping[str, bytes]]:
    state = TrainingState.fresh(10)
    state.step = step
    members = to_members(state)
    manifest = to_manifest(
        state,
        members,
        workload="digits",
        epoch=epoch,
        epoch_from=epoch_from,
        code="sha256:0",
        losses=(1.0,),
        next_loss=0.9,
    )
    return manifest, members


def seal(sealer: Sealer, step: int) -> None:
    sealer.offer(*point(step))
    assert sealer.finish(10)


def test_what_is_sealed_is_the_last_point(vault: ObjectVault, witness: ObjectWitness) -> None:
    sealer = Sealer(vault, witness, "digits", 1)
    for step in (20, 40):
        seal(sealer, step)
    assert sealer.last == vault.points("digits")[-1]
    assert [each.step for each in vault.points("digits")] == [20, 40]
    assert sealer.fenced is None


def test_a_newer_epoch_in_the_witness_ends_sealing_before_anything_is_written(
    vault: ObjectVault, witness: ObjectWitness
) -> None:
    sealer = Sealer(vault, witness, "digits", 1)
    seal(sealer, 20)
    witness.raise_epoch("digits", above=1, active="south", by="run-7", at=NOW)
    seal(sealer, 40)
    assert sealer.fenced == "epoch 1 of digits is over: south writes in epoch 2 since 03:00:00, by run-7"
    assert [each.step for each in vault.points("digits")] == [20]


def test_a_fenced_store_ends_sealing_even_if_the_witness_is_silent(vault: ObjectVault) -> None:
    sealer = Sealer(vault, SilentWitness(memory_objects()), "digits", 1)
    vault.raise_epoch("digits", 2)
    seal(sealer, 20)
    assert sealer.fenced is not None
    assert "epoch 2" in sealer.fenced


def test_a_silent_witness_stops_nothing(vault: ObjectVault) -> None:
    sealer = Sealer(vault, SilentWitness(memory_objects()), "digits", 1)
    seal(sealer, 20)
    assert sealer.fenced is None
    assert [each.step for each in vault.points("digits")] == [20]


def test_points_are_replicated_once_and_in_order(vault: ObjectVault) -> None:
    standby = ObjectVault(memory_objects(), "south")
    replicator = Replicator(vault, standby, "digits")
    assert replicator.copy_new() == 0
    for step in (20, 40, 60):
        vault.seal(*point(step))
    assert replicator.copy_new() == 3
    assert standby.points("digits") == vault.points("digits")
    assert replicator.copy_new() == 0


def test_what_the_old_side_seals_after_the_fence_is_not_replicated(vault: ObjectVault) -> None:
    standby = ObjectVault(memory_objects(), "south")
    replicator = Replicator(vault, standby, "digits")
    vault.seal(*point(20))
    replicator.copy_new()
    standby.raise_epoch("digits", 2)
    vault.seal(*point(40))
    assert replicator.copy_new() == 0
    standby.seal(*point(30, epoch=2, epoch_from=20))
    vault.seal(*point(60))
    assert replicator.copy_new() == 0
    assert [(each.epoch, each.step) for each in standby.points("digits")] == [(1, 20), (2, 30)]


def test_a_store_that_was_rebuilt_empty_gets_every_point_again(vault: ObjectVault) -> None:
    vault.seal(*point(20))
    vault.seal(*point(30, epoch=2, epoch_from=20))
    rebuilt = ObjectVault(memory_objects(), "north")
    assert Replicator(vault, rebuilt, "digits").copy_new() == 2
    assert rebuilt.points("digits") == vault.points("digits")
