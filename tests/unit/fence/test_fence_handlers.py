"""Asking the quorum again, and raising the epoch in the name of a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from threading import Event

import pytest

from relight.errors import LeaseLost
from relight.fence import ConfirmVerdict, RaisedEpoch, RaiseEpoch, VerdictSeen, Witness
from relight.fence.fake import FakeLookout, memory_witness
from relight.fence.handlers import ConfirmVerdictHandler, RaiseEpochHandler
from relight.fence.port import Lookout
from relight.plan import Done, Failed, Retry
from relight.situation import Authority, Opinion
from rig.context import START, FakeContext


class World:
    def __init__(self) -> None:
        self.observers = {name: FakeLookout(name, START) for name in ("east", "west", "harbour")}
        self.others: dict[str, Lookout] = {}
        self.the_witness = memory_witness()

    def lookouts(self) -> Mapping[str, Lookout]:
        return {**self.observers, **self.others}

    def witness(self) -> Witness:
        return self.the_witness

    def see(self, **up: bool | None) -> None:
        for name, state in up.items():
            self.observers[name].silent = state is None
            if state is not None:
                self.observers[name].see("north", up=state, reason="" if state else "connection refused")


@pytest.fixture
def world() -> World:
    return World()


LOST = ConfirmVerdict(site="north", accept=("lost",))


def test_a_verdict_that_is_accepted_is_done(world: World) -> None:
    world.see(east=False, west=False, harbour=None)
    assert ConfirmVerdictHandler(world).attempt(LOST, FakeContext()) == Done(VerdictSeen(verdict="lost"))
    world.see(east=True, west=True, harbour=True)
    either = ConfirmVerdict(site="north", accept=("lost", "healthy"))
    assert ConfirmVerdictHandler(world).attempt(either, FakeContext()) == Done(VerdictSeen(verdict="healthy"))


def test_a_doubt_is_retry_that_names_every_observer_and_what_it_sees(world: World) -> None:
    world.see(east=False, west=True, harbour=None)
    outcome = ConfirmVerdictHandler(world).attempt(LOST, FakeContext())
    assert isinstance(outcome, Retry)
    assert "compute of north is suspect, not lost" in outcome.reason
    assert "east sees it down since 03:00:00 (connection refused)" in outcome.reason
    assert "west sees it up" in outcome.reason
    assert "harbour: observer harbour does not answer" in outcome.reason


def test_silent_observers_count_among_the_declared_ones(world: World) -> None:
    world.see(east=False, west=None, harbour=None)
    outcome = ConfirmVerdictHandler(world).attempt(LOST, FakeContext())
    assert isinstance(outcome, Retry)
    assert "unknown" in outcome.reason


def test_an_observer_that_says_a_thing_twice_has_one_voice(world: World) -> None:
    world.see(east=False, west=None, harbour=None)

    class Loud(FakeLookout):
        def opinions(self, site: str) -> tuple[Opinion, ...]:
            return world.observers["east"].opinions(site) * 3

    world.others["east"] = Loud("east", START)
    assert isinstance(ConfirmVerdictHandler(world).attempt(LOST, FakeContext()), Retry)


def test_another_capability_or_another_observers_opinion_is_no_voice(world: World) -> None:
    world.see(east=False, west=None, harbour=None)
    world.observers["west"].silent = False
    world.observers["west"].see("north", up=False, capability="storage")
    world.others["harbour"] = world.observers["east"]
    outcome = ConfirmVerdictHandler(world).attempt(LOST, FakeContext())
    assert isinstance(outcome, Retry)
    assert "west: says nothing of compute" in outcome.reason


def test_an_observer_that_hangs_or_breaks_holds_nobody_up(world: World) -> None:
    world.see(east=False, west=False, harbour=False)
    released = Event()

    class Hangs(FakeLookout):
        def opinions(self, site: str) -> tuple[Opinion, ...]:
            released.wait(10)
            return ()

    class Breaks(FakeLookout):
        def opinions(self, site: str) -> tuple[Opinion, ...]:
            raise ZeroDivisionError("oops")

    world.others.update(harbour=Hangs("harbour", START), broken=Breaks("broken", START))
    began = time.monotonic()
    outcome = ConfirmVerdictHandler(world, deadline_seconds=0.1).attempt(LOST, FakeContext())
    released.set()
    assert time.monotonic() - began < 1
    assert isinstance(outcome, Retry)  # two of four are no majority
    assert "harbour: no answer within 0.1s" in outcome.reason
    assert "broken: ZeroDivisionError: oops" in outcome.reason


RAISE = RaiseEpoch(workload="digits", above=1, active="south")


@pytest.fixture
def declared(world: World) -> World:
    world.the_witness.declare(
        Authority(workload="digits", epoch=1, active="north", changed_by="init", changed_at=START)
    )
    return world


def test_the_epoch_is_raised_in_the_name_of_the_run_and_again_is_no_effect(declared: World) -> None:
    handler = RaiseEpochHandler(declared)
    assert handler.attempt(RAISE, FakeContext(run="run-7")) == Done(RaisedEpoch(epoch=2))
    later = FakeContext(run="run-7", attempt=2, clock=START + timedelta(hours=1))
    assert handler.attempt(RAISE, later) == Done(RaisedEpoch(epoch=2))
    authority = declared.the_witness.authority("digits")
    assert authority == Authority(
        workload="digits", epoch=2, active="south", changed_by="run-7", changed_at=START
    )


def test_a_run_that_comes_second_fails_and_is_told_by_whom(declared: World) -> None:
    handler = RaiseEpochHandler(declared)
    handler.attempt(RAISE, FakeContext(run="run-7"))
    outcome = handler.attempt(RAISE, FakeContext(run="run-8"))
    assert isinstance(outcome, Failed)
    assert "run-7" in outcome.reason
    assert outcome.remedy


def test_what_was_never_declared_fails(world: World) -> None:
    assert isinstance(RaiseEpochHandler(world).attempt(RAISE, FakeContext()), Failed)


def test_without_the_lease_no_epoch_is_raised(declared: World) -> None:
    with pytest.raises(LeaseLost):
        RaiseEpochHandler(declared).attempt(RAISE, FakeContext(may_act=False))
    authority = declared.the_witness.authority("digits")
    assert authority is not None
    assert authority.epoch == 1
