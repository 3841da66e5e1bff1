"""How long the knob's process waits: for a living update of its stack, and for a state that fell silent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from relight.errors import Refused, Unreachable
from relight.plan import ARTIFACTS
from relight.provision import Lock, work
from relight.provision.fake import urn_of
from relight.provision.watchdog import Watchdog
from relight.provision.work import Call, End, carry_out
from rig.standin.inline import METAL, SPOT, FakeWorld
from rig.standin.site import POOL, STACK

LIVING = Lock(id="lock-1", user="ann", host=socket.gethostname(), pid=os.getpid(), since=datetime.now(UTC))
CALL = Call(task="scale", root="/p", stacks=(STACK,), pool=POOL, sizes={"own-metal": 2, "spot": 0})


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    monkeypatch.setattr(work, "_LOOK_SECONDS", 0.01)
    made = FakeWorld(tmp_path)
    made.own_sizes = {"own-metal": 1, "spot": 0}
    made.stacks.up(STACK)
    made.own_sizes = None
    return made


@pytest.mark.parametrize("making", [(), (SPOT,)])
def test_a_living_update_is_waited_for_also_while_it_makes_something(
    world: FakeWorld, making: tuple[str, ...]
) -> None:
    told: list[str] = []

    def tell(done: int, total: int | None, doing: str) -> None:
        told.append(doing)
        if doing.startswith("waits"):  # the other update ends
            world.stacks.lock_it(STACK, None)
            world.stacks.refresh(STACK, {urn_of(STACK, SPOT): "spot-1"})

    if making:
        world.stacks.cut_off(STACK, *making)
    world.stacks.lock_it(STACK, LIVING)
    end = carry_out(CALL, world.stacks, tell)
    assert end.status == "done", end
    assert f"waits for the update that holds {LIVING}" in told
    assert world.stacks.cloud[STACK][METAL]["desiredCapacity"] == 2


def test_a_dead_lock_is_not_waited_for_and_one_that_may_live_not_for_ever(world: FakeWorld) -> None:
    dead = LIVING.model_copy(update={"pid": 2**22 + 1})
    world.stacks.lock_it(STACK, dead)
    began = time.monotonic()
    assert carry_out(CALL, world.stacks, lambda *_: None).lock == dead
    assert time.monotonic() - began < 1
    for lock, seconds in ((LIVING, 0.2), (LIVING.model_copy(update={"host": "elsewhere"}), 0.1)):
        world.stacks.lock_it(STACK, lock)
        patience = {True: 0.2, None: 0.1, False: 0.0}
        began = time.monotonic()
        assert carry_out(CALL, world.stacks, lambda *_: None, patience=patience).status == "locked"
        assert seconds <= time.monotonic() - began < 2


def test_what_was_cut_off_and_is_held_by_nobody_is_not_waited_for(world: FakeWorld) -> None:
    world.stacks.cut_off(STACK, SPOT)
    began = time.monotonic()
    assert carry_out(CALL, world.stacks, lambda *_: None).status == "interrupted"
    assert time.monotonic() - began < 1


def watched(look: Callable[[], object], seconds: float, *, reach: bool = True) -> list[str]:
    """Why it gave up within so long; nothing: it did not."""
    reasons: list[str] = []
    given_up = Event()

    def give_up(why: str) -> None:
        reasons.append(why)
        given_up.set()

    watchdog = Watchdog(look, give_up, quiet=0.1, answer=0.2)
    watchdog.start()
    if reach:
        watchdog.reach()
    given_up.wait(seconds)
    watchdog.stop()
    return reasons


def test_a_state_that_does_not_answer_at_all_is_given_up() -> None:
    assert watched(lambda: None, 5, reach=False) == ["the state did not answer within 0.2 s"]


def test_a_state_that_is_gone_or_silent_in_mid_update_is_given_up() -> None:
    def gone() -> None:
        raise Unreachable("connection refused")

    assert watched(gone, 5) == ["connection refused"]
    never = Event()
    assert watched(never.wait, 5) == ["the state did not answer within 0.2 s"]
    never.set()


def test_a_slow_cloud_is_no_silent_state() -> None:
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        raise Refused("it says no, so it answers")

    assert watched(look, 1.7) == []
    assert len(looks) >= 2


def test_the_knob_s_process_ends_by_itself_where_the_state_never_answers(tmp_path: Path) -> None:
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text('#!/bin/sh\n[ "$1" = version ] && exec echo v3.260.0\nexec sleep 60\n', "utf-8")
    pulumi.chmod(0o755)
    (tmp_path / "Pulumi.yaml").write_text("name: standin\nruntime: python\n", "utf-8")
    call = CALL.model_copy(update={"root": str(tmp_path), "answer_seconds": 0.5})
    environment = os.environ | {"PATH": f"{pulumi.parent}{os.pathsep}{os.defpath}", ARTIFACTS: str(tmp_path)}
    began = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-m", "relight.provision.work", call.model_dump_json()],
        env=environment,
        start_new_session=True,
        check=False,
        timeout=30,
    )
    assert process.returncode == 1
    assert time.monotonic() - began < 20
    end = End.model_validate_json((tmp_path / "result.json").read_bytes())
    assert (end.status, end.reason) == ("unreachable", "the state did not answer within 0.5 s")
    assert end.ended_at is not None
