"""The agent's workloads: tokens, counted GPUs, and how they end. The workloads are real processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from relight.errors import NotFound, Refused
from relight.sandbox.assignment import Assignment
from relight.sandbox.layout import GPUS_PER_SITE, Layout
from relight.sandbox.workloads import Workloads
from relight.workload import Running


@pytest.fixture
def workloads(tmp_path: Path) -> Iterator[Workloads]:
    layout = Layout.create(tmp_path, 2.0, 20.0, ())
    layout.save()
    layout.site("south").mkdir(parents=True)
    (tmp_path / "logs").mkdir()
    workloads = Workloads(layout, "south")
    yield workloads
    with suppress(NotFound):
        workloads.stop("notebooks")


def notebook(token: str = "t1", gpus: int = 24) -> Assignment:
    return Assignment("notebooks", token, 0, gpus)


def wait_for(workloads: Workloads, state: str) -> Running:
    deadline = time.monotonic() + 10
    while (found := workloads.running()[0]).state != state:
        assert time.monotonic() < deadline, f"still {found.state}"
        time.sleep(0.01)
    return found


def test_a_workload_is_started_once_per_token_and_holds_its_gpus(workloads: Workloads) -> None:
    assert workloads.start(notebook())
    assert not workloads.start(notebook())
    with pytest.raises(Refused, match="another token"):
        workloads.start(notebook("t2"))
    assert workloads.free_gpus() == GPUS_PER_SITE - 24
    with pytest.raises(Refused, match="wants 16 GPUs, 8 are free"):
        workloads.start(Assignment("digits", "t3", 1, 16))
    assert wait_for(workloads, "running").token == "t1"


def test_a_drain_that_comes_while_it_starts_is_not_lost(workloads: Workloads) -> None:
    workloads.start(notebook())
    workloads.drain("notebooks")
    ended = wait_for(workloads, "ended")
    assert (ended.exit_status, ended.reason) == (0, "")
    assert workloads.free_gpus() == GPUS_PER_SITE


def test_what_was_stopped_says_how_and_by_whom_and_may_be_started_anew(workloads: Workloads) -> None:
    workloads.start(notebook())
    workloads.stop("notebooks", by="run-1/make-room")
    ended = wait_for(workloads, "ended")
    assert (ended.exit_status, ended.reason, ended.ended_by) == (-9, "ended by SIGKILL", "run-1/make-room")
    workloads.stop("notebooks", by="somebody else")
    workloads.drain("notebooks")
    assert workloads.running()[0] == ended
    assert workloads.start(notebook("t2"))
    assert workloads.running()[0].ended_by == ""


def test_what_was_never_started_is_not_found(workloads: Workloads) -> None:
    for act in (workloads.drain, workloads.stop):
        with pytest.raises(NotFound):
            act("notebooks")
    with pytest.raises(NotFound, match="no program is installed"):
        workloads.start(Assignment("mining", "t", 0, 0))
