"""Updates by the real engine that were cut off: what is made once, what lives on, what was approved."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.plan import Done, Failed, Retry
from relight.provision import Deviates, Lock, StackUp, StackUpFacts, UpdateFailed
from relight.provision.handlers import StackUpHandler
from relight.supervisor import Supervisor, keeper
from rig.standin.site import NEEDS_ENGINE, PLANTED, STACK, StandinContext, StandinSite, StandinWorld, play

pytestmark = [pytest.mark.pulumi_engine, NEEDS_ENGINE]
LONG = "x" * 250  # more than a preview shows of a value


class Cut:
    """Starts an update and kills its engine in mid-create, as a machine that lacks memory does."""

    def __init__(self, site: StandinSite, supervisor: Supervisor) -> None:
        self.site = site
        self._supervisor = supervisor
        self._handler = StackUpHandler(StandinWorld(site))
        self._attempts = 0
        self.left: dict[int, int] = {}

    def context(self) -> StandinContext:
        self._attempts += 1
        return StandinContext(self._supervisor, attempt=self._attempts)

    def off(self, spec: StackUp, name: str) -> Lock:
        context = self.context()
        before = len(self.site.cloud()["log"])
        begun = lambda: ["begin", name] in self.site.cloud()["log"][before:]  # noqa: E731
        assert play(self._handler, spec, context, until=begun) is None
        lock = self.site.stacks().lock(STACK)
        assert lock
        self.left = keeper.descendants(lock.pid)
        os.kill(lock.pid, signal.SIGKILL)
        assert isinstance(play(self._handler, spec, context), Retry)
        return lock

    def end_providers(self) -> None:
        for pid, began in self.left.items():
            keeper.signal_process(pid, began, signal.SIGKILL)

    def go_on(self, spec: StackUp, lock: Lock) -> tuple[Any, StandinContext]:
        context = self.context()
        return play(self._handler, spec.model_copy(update={"cancel_lock": lock.id}), context), context


@pytest.fixture
def cut(tmp_path: Path) -> Iterator[Callable[[StandinSite], Cut]]:
    made: list[Cut] = []

    def make(site: StandinSite) -> Cut:
        made.append(Cut(site, Supervisor(tmp_path / "processes")))
        return made[-1]

    yield make
    for each in made:
        each.end_providers()


def in_the_state(site: StandinSite, name: str) -> list[tuple[str, bool]]:
    """Ids of a resource in the state, and whether they are to be deleted."""
    content = json.loads((site.state / ".pulumi/stacks/standin" / f"{STACK}.json").read_bytes())
    return [
        (each["id"], each.get("delete", False))
        for each in content["checkpoint"]["latest"]["resources"]
        if each["urn"].rpartition("::")[2] == name
    ]


def test_what_was_to_be_replaced_is_not_taken_for_its_replacement_and_lives_on(
    risen: StandinSite, cut: Callable[[StandinSite], Cut]
) -> None:
    risen.want(cidr="10.7.0.0/16")
    risen.hinder(delays={"network": 60})
    spec, work = StackUp(stack=STACK, settle=timedelta(seconds=3)), cut(risen)
    old = risen.ids("network")
    lock = work.off(spec, "network")
    work.end_providers()  # the machine died: the replacement never came to be
    risen.hinder()
    risen.want(cidr="10.0.0.0/16")
    outcome, _ = work.go_on(spec, lock)
    assert isinstance(outcome, Done), outcome
    assert risen.ids("network") == old
    assert in_the_state(risen, "network") == [(old[0], False)]
    assert not risen.stacks().preview(STACK).changes


def test_a_replacement_that_came_to_be_is_adopted_and_then_the_old_one_goes(
    risen: StandinSite, cut: Callable[[StandinSite], Cut]
) -> None:
    risen.want(cidr="10.7.0.0/16")
    preview = risen.stacks().preview(STACK)
    risen.hinder(delays={"network": 4})
    spec, work = approved_by(preview, settle=timedelta(seconds=3)), cut(risen)
    (old,) = risen.ids("network")
    outcome, _ = work.go_on(spec, work.off(spec, "network"))
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, StackUpFacts)
    assert outcome.facts.adopted == ("network",)
    (new,) = risen.ids("network")
    assert new != old
    assert risen.cloud()["log"].count(["create", "network"]) == 2
    assert in_the_state(risen, "network") == [(new, False)]


def test_settling_waits_for_a_provider_that_is_still_at_work_and_nothing_is_made_twice(
    tmp_path: Path, cut: Callable[[StandinSite], Cut]
) -> None:
    site = StandinSite(tmp_path)
    site.hinder(delays={"network": 14})
    spec, work = StackUp(stack=STACK, settle=timedelta(seconds=1)), cut(site)
    lock = work.off(spec, "network")
    outcome, context = work.go_on(spec, lock)
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, StackUpFacts)
    assert outcome.facts.adopted == ("network",)
    assert len(site.ids("network")) == 1
    assert any("still at work" in note and "(pid " in note for note in context.notes), context.notes


def test_after_a_cut_off_what_is_left_of_the_approved_changes_is_done_and_nothing_else(
    tmp_path: Path, cut: Callable[[StandinSite], Cut]
) -> None:
    site = StandinSite(tmp_path)
    site.want(image=f"{LONG} of ours")
    preview = site.stacks().preview(STACK)
    site.hinder(delays={"network": 3})
    spec, work = approved_by(preview, settle=timedelta(seconds=2)), cut(site)
    lock = work.off(spec, "network")
    site.hinder()
    site.want(image=f"{LONG} of another", others={"extra": "standin:index:Key"})  # a git pull in between
    refused, _ = work.go_on(spec, lock)
    assert isinstance(refused, Failed), refused
    assert "in another way than was approved" in refused.reason
    assert "create standin:index:Key extra" in refused.reason
    assert "train-spot is to be something else" in refused.reason
    assert not site.ids("train-spot")

    site.want(image=f"{LONG} of ours", others={})
    done = play(StackUpHandler(StandinWorld(site)), spec, work.context())
    assert isinstance(done, Done), done
    assert {name: len(site.ids(name)) for name in ("network", "key", "train-spot")} == {
        "network": 1,
        "key": 1,
        "train-spot": 1,
    }


def approved_by(preview: Any, settle: timedelta) -> StackUp:
    return StackUp(
        stack=STACK,
        expect_digest=preview.digest,
        expect_changes=tuple(change.approved for change in preview.changes),
        settle=settle,
    )


def test_who_holds_a_stack_is_read_without_touching_its_state(risen: StandinSite) -> None:
    before = {path: path.stat().st_mtime_ns for path in risen.state.rglob("*")}
    assert risen.stacks().lock(STACK) is None
    assert {path: path.stat().st_mtime_ns for path in risen.state.rglob("*")} == before


def test_one_resource_that_cannot_be_read_hides_no_drift_of_the_others(risen: StandinSite) -> None:
    risen.change_cloud("train-own-metal", desiredCapacity=9)
    risen.hinder(unreadable={"train-spot": "the cloud is busy", "network": "no"})
    drift = risen.stacks().drift(STACK)
    assert [change.name for change in drift.changes] == ["train-own-metal"]
    assert sorted(drift.unread) == ["network", "train-spot"]
    assert "the cloud is busy" in drift.unread["train-spot"]


def test_a_stack_with_a_create_that_was_cut_off_is_not_clean(risen: StandinSite) -> None:
    risen.cut_off("train-spot")
    drift = risen.stacks().drift(STACK)
    assert [create.name for create in drift.pending] == ["train-spot"]
    assert not drift.is_clean


def test_a_secret_that_changed_since_the_approval_stops_the_update_and_is_told_nowhere(
    tmp_path: Path,
) -> None:
    site = StandinSite(tmp_path)
    approved = site.stacks().preview(STACK)
    assert site.stacks().preview(STACK) == approved
    assert PLANTED not in approved.model_dump_json()
    site.secrets["STANDIN_SECRET"] = f"{PLANTED}-of-another"
    changes = tuple(change.approved for change in approved.changes)
    with pytest.raises(Deviates, match="key is to have another secret") as met:
        site.stacks().up(STACK, expect_digest=approved.digest, approved=changes)
    assert PLANTED not in str(met.value)
    site.hinder(fails={"key": "no"})
    with pytest.raises(UpdateFailed) as refused:
        site.stacks().up(STACK)
    assert PLANTED not in str(refused.value)
    assert not [path for path in site.state.rglob("*") if path.is_file() and PLANTED in path.read_text()]
