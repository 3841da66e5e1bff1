"""A failover whose controller is killed (SIGKILL) over and over, around every outcome it writes down."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest

from relight.audit import verify_run
from relight.control import report_of
from relight.engine import AttemptStarted, LeaseTaken
from relight.sandbox import Sandbox
from rig.killing import drive_project, exit_code_of
from rig.sites import Sites, wait_until

pytestmark = pytest.mark.story


def test_a_failover_killed_at_every_turn_ends_the_same_and_does_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sites = Sites(sandbox)
        wait_until("south holds a point", lambda: sites.newest_step("south") > 0)
        sandbox.kill_site("north")
        sites.wait_for_verdict("north", "lost")
        plan = sites.plan("site-failover")
        starts = {w: sites.starts("south", w) for w in ("digits", "app")}
        updates = sites.updates("south")
        run = sites.submit(plan)

        deaths = 0
        for life in range(200):
            # Each life takes the lease, starts what is ready, and writes down outcomes. It dies right after
            # the lease, right after the starts, right before an outcome is durable, and right after it.
            deadly, moment = ((1, "after"), (2, "after"), (3, "before"), (3, "after"))[life % 4]
            code = exit_code_of(drive_project, sandbox.folder, run, deadly, moment)
            assert code in (0, -signal.SIGKILL)
            if code == 0:
                break
            deaths += 1

        state = sites.drive(run)
        events = list(sites.journal.events(run))
        assert state.ended
        assert state.ended.result == "done", state.ended.reason
        assert all(step.status == "done" for step in state.steps.values())
        assert deaths > len(plan.steps), "it was hardly ever killed: the test tests nothing"
        lives = sum(isinstance(event, LeaseTaken) for event in events)
        assert lives in (
            deaths,
            deaths + 1,
        )  # one that died right after the last event left nothing to take up
        assert {w: sites.starts("south", w) - n for w, n in starts.items()} == {"digits": 1, "app": 1}
        assert sites.updates("south") - updates == 1
        assert sites.epoch() == 2
        assert not live_twice(events)
        assert report_of(state, events).interruptions > 0
        verification = verify_run(sites.journal, run, sites.world.anchors().read(run))
        assert verification.faults == ()


def live_twice(events: Sequence[object]) -> list[str]:
    """Steps of which two attempts were under way at once."""
    live: dict[str, int] = {}
    twice = []
    for event in events:
        if isinstance(event, AttemptStarted):
            if event.step in live:
                twice.append(event.step)
            live[event.step] = event.attempt
        elif (step := getattr(event, "step", None)) and getattr(event, "type", "") != "attempt-progressed":
            live.pop(step, None)
    return twice
