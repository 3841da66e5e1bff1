"""A site dies; its work goes on at the other one; the site comes back and the work goes home."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relight.audit import verify_run
from relight.control import WorkloadReport
from relight.sandbox import Sandbox
from rig.sites import Sites, wait_until

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield Sites(sandbox)


def of(workload: str, workloads: tuple[WorkloadReport, ...]) -> WorkloadReport:
    (found,) = [w for w in workloads if w.workload == workload]
    return found


def test_a_dark_site_comes_back_at_the_other_one(sites: Sites) -> None:
    wait_until("south holds a point worth going on from", lambda: sites.newest_step("south") > 40)
    sites.sandbox.kill_site("north")
    situation = sites.wait_for_verdict("north", "lost")
    last_step = situation.sites["north"].last_step("digits")
    assert last_step is not None

    report = sites.run("site-failover")

    assert report.result == "done", report.reason
    digits = of("digits", report.workloads)
    assert digits.is_back
    assert digits.rpo_met
    assert digits.rto_met
    assert digits.rto is not None
    assert digits.resumed_from_step is not None
    assert 0 < digits.resumed_from_step <= last_step
    assert digits.rpo_steps == last_step - digits.resumed_from_step
    assert digits.rpo_gpu_hours is not None
    assert digits.rpo_gpu_hours > 0
    assert of("app", report.workloads).is_back
    running = sites.running("south", "digits")
    assert running.resumed_from == digits.resumed_from_step
    assert running.losses[0][0] == digits.resumed_from_step + 1
    assert sites.epoch() == 2

    served = sites.sandbox.client_log()
    wait_until(
        "clients are served by south", lambda: sites.sandbox.client_log().requests > served.requests + 20
    )
    later = sites.sandbox.client_log()
    assert later.failures == served.failures, "clients still fail after the failover was reported done"
    assert served.failures > 0


def test_the_record_of_it_verifies_against_the_witness(sites: Sites) -> None:
    run = sites.journal.runs()[-1].run
    verification = verify_run(sites.journal, run, sites.world.anchors().read(run))
    assert verification.faults == ()
    assert verification.anchor == f"the witness saw event {verification.events}"


def test_going_home_loses_nothing(sites: Sites) -> None:
    sites.sandbox.rebuild_site("north")
    sites.wait_for_verdict("north", "healthy")
    before = sites.sandbox.client_log()

    report = sites.run("site-failback")

    assert report.result == "done", report.reason
    digits = of("digits", report.workloads)
    assert digits.rpo_steps == 0
    assert digits.rpo is not None
    assert digits.rpo.total_seconds() == 0
    assert sites.epoch() == 3
    assert sites.running("north", "digits").resumed_from == digits.resumed_from_step
    assert sites.running("south", "digits").state == "ended"
    assert sites.running("south", "notebooks").state == "running"
    after = sites.sandbox.client_log()
    assert after.failures == before.failures, "a planned move lost requests"
