"""What the fence tries before a disaster, and that it finds each thing that would stop a plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from relight.errors import StoreError
from relight.fence import ConfirmVerdict, RaiseEpoch, Witness
from relight.fence.adapters.anchors import ObjectAnchors
from relight.fence.adapters.claims import ObjectClaims
from relight.fence.adapters.witness import ObjectWitness
from relight.fence.fake import FakeLookout
from relight.fence.port import Lookout
from relight.fence.preflight import needs, preflight
from relight.objects import Condition, ObjectStore, Version
from relight.objects.adapters.obstore import memory_objects
from relight.situation import Authority
from relight.vault.fake import BreakingObjects
from rig.context import START
from rig.estates import OBSERVERS, an_estate
from rig.preflights import failing, outcomes

WRITES = "the witness takes conditional writes, and those of claims, epochs and journal heads"


class ReadOnlyBelow(BreakingObjects):
    """A store that lets nobody write what begins like this."""

    closed = ""

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        if self.closed and key.startswith(self.closed):
            raise StoreError(f"{key}: AccessDenied", "check bucket, region, credentials and rights")
        return super().put(key, content, condition)


class World:
    def __init__(self) -> None:
        self.store = ReadOnlyBelow(memory_objects("witness"))
        self.observers = {name: FakeLookout(name, START) for name in OBSERVERS}
        for observer in self.observers.values():
            for site in ("north", "south"):
                observer.see(site, up=True)
        first = Authority(workload="digits", epoch=1, active="north", changed_by="init", changed_at=START)
        self.witness().declare(first)
        ObjectClaims(self.store).take("run-1", ("site:north",), "here", START)
        ObjectAnchors(self.store).publish("run-1", 7, "sha256:7")

    def objects(self, store: str) -> ObjectStore:
        assert store == "witness"
        return self.store

    def lookouts(self) -> Mapping[str, Lookout]:
        return self.observers

    def witness(self) -> Witness:
        return ObjectWitness(self.store)

    def everything(self) -> list[tuple[str, bytes, Version]]:
        objects = [(key, self.store.get(key)) for key in self.store.list("")]
        return [(key, found.content, found.version) for key, found in objects]


def test_a_witness_and_observers_that_are_well_pass_and_are_left_as_they_were() -> None:
    world = World()
    before = world.everything()
    said = outcomes(preflight(an_estate(), world))
    assert len(said) == 2 + 2 * len(OBSERVERS)
    assert not [text for text in said.values() if text.startswith("!")]
    assert "claims.json, authority/digits.json, journals/run-1.json" in said[WRITES]
    assert world.everything() == before


@pytest.mark.parametrize("closed", ["preflight", "claims", "authority", "journals"])
def test_a_right_to_write_that_is_missing_is_found(closed: str) -> None:
    world = World()
    world.store.closed = closed
    assert set(failing(preflight(an_estate(), world))) == {WRITES}


def test_a_dead_witness_fails_what_is_asked_of_it_and_no_observer() -> None:
    world = World()
    world.store.allowed = world.store.operations
    assert set(failing(preflight(an_estate(), world))) == {
        WRITES,
        "the witness knows who may write for digits",
    }


def test_a_workload_that_nobody_declared_to_the_witness_is_found() -> None:
    world = World()
    world.store.delete("authority/digits.json")
    assert set(failing(preflight(an_estate(), world))) == {"the witness knows who may write for digits"}


def test_an_observer_that_is_silent_or_sees_too_little_is_found() -> None:
    world = World()
    world.observers["east"].silent = True
    world.observers["west"] = FakeLookout("west", START)
    found = failing(preflight(an_estate(), world))
    assert set(found) == {
        "observer east sees every site",
        "the clock of observer east is right",
        "observer west sees every site",
    }
    assert "compute of north, compute of south" in found["observer west sees every site"]


@pytest.mark.parametrize(("seconds", "told"), [(-60, "behind"), (60, "ahead of"), (0, ""), (2, "")])
def test_a_clock_that_is_off_is_found_and_one_that_is_a_little_off_is_not(seconds: int, told: str) -> None:
    world = World()
    now = datetime.now(UTC).replace(microsecond=0)
    world.observers["east"].shown = now + timedelta(seconds=seconds)
    found = failing(preflight(an_estate(), world))
    assert bool(found) == bool(told)
    assert all(told in said for said in found.values())


def test_steps_need_every_observer_and_the_witness() -> None:
    estate = an_estate()
    confirm = ConfirmVerdict(site="north", accept=("lost",))
    assert set(needs([confirm], estate)) == {f"observer:{name}" for name in OBSERVERS}
    fence = RaiseEpoch(workload="digits", above=1, active="south")
    assert set(needs([fence], estate)) == {"witness", "authority:digits"}
