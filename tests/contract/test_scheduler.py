"""The promises of `Scheduler`, kept by the fake and by the agent's adapter against the sandbox's agent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from relight.errors import NotFound, Refused, Unreachable
from relight.sandbox.agent import AgentServer
from relight.sandbox.layout import Layout
from relight.workload import Running, Scheduler
from relight.workload.adapters.agent import AgentScheduler
from relight.workload.fake import FakeScheduler

GPUS = 32
NAME, OTHER = "notebooks", "digits"  # what the sandbox has programs for; a notebook only waits


@dataclass(frozen=True)
class Site:
    """A scheduler with nothing running, and how the site is made to fall silent."""

    scheduler: Scheduler
    die: Callable[[], None]


@contextmanager
def fake_site(_folder: Path) -> Iterator[Site]:
    scheduler = FakeScheduler(GPUS)
    scheduler.slow_start = scheduler.slow_drain = 1

    def die() -> None:
        scheduler.reachable = False

    yield Site(scheduler, die)


@contextmanager
def sandbox_site(folder: Path) -> Iterator[Site]:
    layout = Layout.create(folder, checkpoint_every=1.0, steps_per_second=10.0, approvers=())
    for place in (layout.site("north"), layout.data("north"), layout.log("x").parent):
        place.mkdir(parents=True, exist_ok=True)
    layout.save()
    server = AgentServer(layout, "north")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def die() -> None:
        server.shutdown()
        server.server_close()

    try:
        yield Site(AgentScheduler("north", layout.agent("north")), die)
    finally:
        die()
        thread.join()
        for running in server.workloads.running():
            server.workloads.stop(running.workload)


SITES = {"fake": fake_site, "sandbox agent": sandbox_site}


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with SITES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def scheduler(site: Site) -> Scheduler:
    return site.scheduler


def start(scheduler: Scheduler, name: str = NAME, token: str = "run-1/start", gpus: int = 24) -> None:
    scheduler.start(name, token=token, epoch=3, gpus=gpus, point=None, folder=None)


def find(scheduler: Scheduler, name: str = NAME) -> Running:
    return {running.workload: running for running in scheduler.running()}[name]


def until(scheduler: Scheduler, state: str) -> Running:
    deadline = time.monotonic() + 20
    while (running := find(scheduler)).state != state:
        assert time.monotonic() < deadline, f"it is {running} and not {state}"
        time.sleep(0.02)
    return running


def test_where_nothing_was_started_every_gpu_is_free(scheduler: Scheduler) -> None:
    assert scheduler.running() == ()
    assert scheduler.free_gpus() == GPUS


def test_what_was_started_comes_to_run_under_its_token_on_its_gpus(scheduler: Scheduler) -> None:
    start(scheduler)
    assert find(scheduler).state in ("starting", "running")
    assert scheduler.free_gpus() == GPUS - 24
    running = until(scheduler, "running")
    assert (running.token, running.epoch, running.gpus) == ("run-1/start", 3, 24)
    assert running.ended_by == ""
    start(scheduler)
    assert find(scheduler).state == "running", "the same token is no effect"
    assert scheduler.free_gpus() == GPUS - 24


def test_what_runs_is_not_started_under_another_token(scheduler: Scheduler) -> None:
    start(scheduler)
    with pytest.raises(Refused):
        start(scheduler, token="run-2/start")
    assert find(scheduler).token == "run-1/start"


def test_what_does_not_fit_is_refused(scheduler: Scheduler) -> None:
    start(scheduler, gpus=24)
    with pytest.raises(Refused, match="8"):
        start(scheduler, OTHER, gpus=16)
    assert [running.workload for running in scheduler.running()] == [NAME]


def test_what_drains_ends_by_itself_and_gives_its_gpus_back(scheduler: Scheduler) -> None:
    start(scheduler)
    until(scheduler, "running")
    scheduler.drain(NAME)
    assert find(scheduler).state in ("draining", "ended")
    ended = until(scheduler, "ended")
    assert (ended.exit_status, ended.ended_by) == (0, "")
    assert scheduler.free_gpus() == GPUS
    scheduler.drain(NAME)
    assert find(scheduler) == ended, "what ended is not drained again"


def test_what_was_never_started_cannot_be_drained_but_stopped(scheduler: Scheduler) -> None:
    with pytest.raises(NotFound):
        scheduler.drain(NAME)
    scheduler.stop(NAME)
    assert scheduler.running() == ()


def test_what_was_stopped_has_ended_and_says_by_whom(scheduler: Scheduler) -> None:
    start(scheduler)
    scheduler.stop(NAME, by="run-2/make-room")
    ended = until(scheduler, "ended")
    assert ended.ended_by == "run-2/make-room"
    assert ended.exit_status != 0
    assert scheduler.free_gpus() == GPUS
    scheduler.stop(NAME, by="run-3/make-room")
    assert find(scheduler).ended_by == "run-2/make-room", "what ended is not stopped again"


def test_what_ended_is_started_anew_and_nothing_of_its_end_is_left(scheduler: Scheduler) -> None:
    start(scheduler)
    scheduler.stop(NAME, by="run-2/make-room")
    until(scheduler, "ended")
    start(scheduler, token="run-3/start", gpus=8)
    running = until(scheduler, "running")
    assert (running.token, running.ended_by, running.exit_status) == ("run-3/start", "", None)
    assert scheduler.free_gpus() == GPUS - 8


def test_a_site_that_died_is_unreachable(site: Site) -> None:
    site.die()
    calls: list[Callable[[], object]] = [
        site.scheduler.free_gpus,
        site.scheduler.running,
        lambda: start(site.scheduler),
        lambda: site.scheduler.drain(NAME),
        lambda: site.scheduler.stop(NAME),
    ]
    for call in calls:
        with pytest.raises(Unreachable):
            call()
