"""A site that is only cut off is not failed over, until two named people decide it; then its writes stop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from relight.control import approve, report_of
from relight.errors import Refused
from relight.sandbox import Sandbox
from rig.sites import Sites, wait_until

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), approvers=("ann", "bob")) as sandbox:
        found = Sites(sandbox)
        wait_until("south holds a point", lambda: found.newest_step("south") > 0)
        sandbox.partition("north", ("east", "west"))
        found.wait_for_verdict("north", "suspect")
        yield found


def test_a_partitioned_site_is_not_failed_over_and_the_plan_says_why(sites: Sites) -> None:
    plan = sites.plan("site-failover")
    (finding,) = plan.overrides
    assert finding.identities == 2
    assert "harbour sees it up" in finding.message
    run = sites.submit(plan)
    state = sites.drive(run, wait=False)
    assert not state.ended
    assert list(state.waiting_gates) == [finding.gate]
    assert all(step.attempt == 0 for step in state.steps.values()), "something started before people signed"
    assert sites.epoch() == 1


def test_a_second_run_on_the_same_sites_is_refused_and_told_by_whom(sites: Sites) -> None:
    first = sites.journal.runs()[-1].run
    second = sites.submit(sites.plan("site-failover"))
    with pytest.raises(Refused, match=first):
        sites.drive(second)
    assert sites.journal.row(second).ended


def test_with_two_signatures_the_old_trainer_finds_its_epoch_gone_and_seals_nothing_more(
    sites: Sites,
) -> None:
    run = sites.journal.runs()[0].run
    (gate,) = sites.drive(run, wait=False).waiting_gates
    digest = sites.drive(run, wait=False).plan.digest
    for who in ("mallory", "ann", "ann"):
        approve(sites.journal, run, gate, identity=who, reason="the hall is on fire", digest=digest)
    waiting = sites.drive(run, wait=False)
    assert not waiting.ended, "one person twice, and a stranger, are not two people"
    assert [refusal.identity for refusal in waiting.refusals] == ["mallory", "ann"]
    approve(sites.journal, run, gate, identity="bob", reason="I see the smoke", digest=digest)

    signed_at = datetime.now(UTC)
    state = sites.drive(run)

    assert state.ended
    assert state.ended.result == "done", state.ended.reason
    report = report_of(state, list(sites.journal.events(run)))
    assert {said.identity for said in report.approvals} == {"ann", "bob"}
    (digits,) = [w for w in report.workloads if w.workload == "digits"]
    assert digits.rpo is not None, "the loss counts from the fence: the old side went on until then"
    wait_until("the old trainer ended", lambda: sites.running("north", "digits").state == "ended")
    old = sites.running("north", "digits")
    assert old.exit_status == 3
    assert "epoch" in old.reason
    for store in ("north", "south"):
        late = [
            point
            for point in sites.world.vault(store).points("digits")
            if point.epoch == 1 and point.sealed_at > signed_at
        ]
        assert late == [], f"a point of the old epoch was sealed in {store} after the fence"
    assert sites.running("south", "digits").state == "running"
    assert sites.running("south", "digits").epoch == 2
