"""Stacks with the real engine, a state in files and the stand-in cloud, through steps and their processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.plan import Done, Failed, Retry
from relight.provision import (
    Lock,
    ScalePool,
    ScalePoolFacts,
    StackDrift,
    StackDriftFacts,
    StackUp,
    StackUpFacts,
)
from relight.provision.handlers import ScalePoolHandler, StackDriftHandler, StackUpHandler
from relight.supervisor import Supervisor, keeper
from rig.standin.site import (
    NEEDS_ENGINE,
    PASSPHRASE,
    PLANTED,
    POOL,
    STACK,
    StandinContext,
    StandinSite,
    StandinWorld,
    play,
)

pytestmark = [pytest.mark.pulumi_engine, NEEDS_ENGINE]
ELSEWHERE = Lock(
    id="b8fa10fe-7fa2-446c-866b-5e6f5c8380b2",
    user="ann",
    host="elsewhere",
    pid=1,
    since=datetime(2026, 11, 1, 3, tzinfo=UTC),
)
SETTLE = timedelta(seconds=20)


@pytest.fixture
def site(tmp_path: Path) -> StandinSite:
    return StandinSite(tmp_path)


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path / "processes")


@pytest.fixture
def step(supervisor: Supervisor) -> Callable[..., StandinContext]:
    def make(name: str = "up", attempt: int = 1) -> StandinContext:
        return StandinContext(supervisor, step=name, attempt=attempt)

    return make


@pytest.fixture
def kill_engine() -> Iterator[Callable[[StandinSite], None]]:
    """Kills the `pulumi` that holds the stack's lock; what it leaves running lives as long as the test."""
    left: dict[int, int] = {}

    def kill(site: StandinSite) -> None:
        lock = site.stacks().lock(STACK)
        assert lock
        left.update(keeper.descendants(lock.pid))
        os.kill(lock.pid, signal.SIGKILL)

    yield kill
    for pid, began in left.items():
        keeper.signal_process(pid, began, signal.SIGKILL)


def files_with(pattern: str, *folders: Path) -> list[str]:
    found = subprocess.run(["grep", "-rlE", pattern, *folders], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def facts_of(outcome: object, kind: type) -> object:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, kind)
    return outcome.facts


def test_a_stack_comes_up_as_it_was_previewed_and_no_secret_is_left_anywhere(
    site: StandinSite, step: Callable[..., StandinContext], tmp_path: Path
) -> None:
    site.hinder(fails={"train-spot": f"no room, says the cloud with {PLANTED}"})
    preview = site.stacks().preview(STACK)
    assert [change.name for change in preview.changes if change.type.startswith("standin:")] == [
        "key",
        "network",
        "train-own-metal",
        "train-spot",
    ]
    handler = StackUpHandler(StandinWorld(site))
    spec = StackUp(stack=STACK, expect_digest=preview.digest)
    refused = play(handler, spec, step())
    assert isinstance(refused, Failed), refused
    assert "train-spot" in refused.reason
    assert "no room" in refused.reason
    assert PLANTED not in refused.reason

    site.hinder()
    other = play(handler, spec, step(attempt=2))
    assert isinstance(other, Failed), other
    assert "in another way than was approved" in other.reason
    context = step(attempt=3)
    facts = facts_of(play(handler, StackUp(stack=STACK), context), StackUpFacts)
    assert isinstance(facts, StackUpFacts)
    assert facts.counts["create"] == 1
    assert len(site.cloud()["resources"]) == 4
    assert any("train-spot" in note for note in context.notes), context.notes
    kept = (site.state, site.project, tmp_path / "processes")
    assert not files_with(f"{PLANTED}|{PASSPHRASE}", *kept)
    for folder in (site.state, tmp_path / "processes"):
        assert files_with("train-spot", folder)


def test_the_knob_changes_the_size_of_one_pool_and_nothing_else(
    risen: StandinSite, step: Callable[..., StandinContext]
) -> None:
    world = StandinWorld(risen)
    risen.want(pools={POOL: {"own-metal": 4, "spot": 0}}, cidr="10.9.0.0/16")
    spec = ScalePool(site=STACK, pool=POOL, nodes=4, epoch=2)
    world.pools.pools[POOL] = {"own-metal": 4, "spot": 0}
    facts = facts_of(play(ScalePoolHandler(world), spec, step("knob")), ScalePoolFacts)
    assert isinstance(facts, ScalePoolFacts)
    assert (facts.sizes, facts.via, facts.drift) == ({"own-metal": 4, "spot": 0}, "engine", False)
    there = risen.cloud()["resources"]
    assert there[risen.ids("train-own-metal")[0]]["inputs"]["desiredCapacity"] == 4
    assert there[risen.ids("network")[0]]["inputs"]["cidr"] == "10.0.0.0/16"  # git's other change waits

    risen.want(pools={POOL: {"own-metal": 4, "spot": 2}}, image="b")
    more = ScalePool(site=STACK, pool=POOL, sizes={"own-metal": 4, "spot": 2}, epoch=2, allow_direct=False)
    refused = play(ScalePoolHandler(world), more, step("knob-2"))
    assert isinstance(refused, Failed), refused
    assert "train-own-metal: image" in refused.reason
    assert "train-spot: image" in refused.reason
    assert risen.cloud()["resources"][risen.ids("train-spot")[0]]["inputs"]["desiredCapacity"] == 0


def test_a_program_that_has_other_sizes_than_were_decided_shrinks_nothing(
    risen: StandinSite, step: Callable[..., StandinContext]
) -> None:
    world = StandinWorld(risen)
    risen.want(pools={POOL: {"own-metal": 1, "spot": 0}})  # as without the witness, or from an old checkout
    spec = ScalePool(site=STACK, pool=POOL, nodes=6, epoch=2)
    facts = facts_of(play(ScalePoolHandler(world), spec, step("knob")), ScalePoolFacts)
    assert isinstance(facts, ScalePoolFacts)
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert "own-metal 1 instead of 4, spot 0 instead of 2" in facts.why
    assert world.pools.sizes(POOL) == {"own-metal": 4, "spot": 2}
    there = risen.cloud()["resources"]
    assert there[risen.ids("train-own-metal")[0]]["inputs"]["desiredCapacity"] == 2


def test_drift_is_seen_and_a_refresh_takes_it_in(
    risen: StandinSite, step: Callable[..., StandinContext]
) -> None:
    stacks = risen.stacks()
    handler = StackDriftHandler(StandinWorld(risen))
    clean = facts_of(play(handler, StackDrift(stacks=(STACK,)), step("drift")), StackDriftFacts)
    assert clean == StackDriftFacts(clean=(STACK,))
    risen.change_cloud("train-own-metal", desiredCapacity=1)
    seen = facts_of(play(handler, StackDrift(stacks=(STACK, "nowhere")), step("drift-2")), StackDriftFacts)
    assert isinstance(seen, StackDriftFacts)
    assert list(seen.drifted) == [STACK]
    assert len(seen.drifted[STACK]) == 1
    assert "train-own-metal: desiredCapacity" in seen.drifted[STACK][0]
    assert seen.never_up == ("nowhere",)
    stacks.refresh(STACK)
    assert stacks.drift(STACK).is_clean


def test_an_update_that_is_stopped_finishes_what_is_in_flight_and_leaves_nothing_pending(
    site: StandinSite, step: Callable[..., StandinContext]
) -> None:
    site.hinder(delays={"network": 2})
    handler, context = StackUpHandler(StandinWorld(site)), step()
    assert play(handler, StackUp(stack=STACK), context, until=lambda: site.began("network")) is None
    context.stop_process()
    outcome = play(handler, StackUp(stack=STACK), context)
    assert isinstance(outcome, Retry), outcome
    assert site.ids("network")
    assert not site.ids("train-own-metal")
    assert site.stacks().lock(STACK) is None
    done = facts_of(play(handler, StackUp(stack=STACK), step(attempt=2)), StackUpFacts)
    assert isinstance(done, StackUpFacts)
    assert done.adopted == ()
    assert len(site.ids("network")) == 1


def test_an_update_that_was_killed_in_mid_create_is_finished_and_nothing_is_made_twice(
    site: StandinSite,
    step: Callable[..., StandinContext],
    kill_engine: Callable[[StandinSite], None],
) -> None:
    site.hinder(delays={"network": 3, "key": 3})
    handler, context = StackUpHandler(StandinWorld(site)), step()
    spec = StackUp(stack=STACK, settle=SETTLE)
    assert play(handler, spec, context, until=lambda: site.began("network") and site.began("key")) is None
    kill_engine(site)
    cut = play(handler, spec, context)
    assert isinstance(cut, Retry), cut
    assert "killed" in cut.reason
    locked = play(handler, spec, step(attempt=2))
    assert isinstance(locked, Failed), locked
    lock = site.stacks().lock(STACK)
    assert lock
    assert lock.id in locked.reason
    assert "dead" in locked.reason
    assert lock.id in locked.remedy

    wrong = spec.model_copy(update={"cancel_lock": "00000000-0000-0000-0000-000000000000"})
    other = play(handler, wrong, step(attempt=3))
    assert isinstance(other, Retry), other
    assert site.stacks().lock(STACK) == lock

    approved = spec.model_copy(update={"cancel_lock": lock.id})
    facts = facts_of(play(handler, approved, step(attempt=4)), StackUpFacts)
    assert isinstance(facts, StackUpFacts)
    assert facts.adopted == ("key", "network")
    assert len(site.cloud()["resources"]) == 4
    assert {name: len(site.ids(name)) for name in ("key", "network")} == {"key": 1, "network": 1}
    stacks = site.stacks()
    assert stacks.drift(STACK).is_clean
    assert not stacks.preview(STACK).changes

    destroyed = subprocess.run(
        ["pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", STACK],
        cwd=site.project,
        env={**os.environ, **site.environment, **site.secrets},
        capture_output=True,
        text=True,
        check=False,
    )
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert site.cloud()["resources"] == {}


def test_a_locked_state_is_passed_by_and_the_drift_is_on_record(
    risen: StandinSite, step: Callable[..., StandinContext]
) -> None:
    world = StandinWorld(risen)
    risen.want(pools={POOL: {"own-metal": 4, "spot": 0}})
    risen.hold(ELSEWHERE.model_copy(update={"host": socket.gethostname(), "pid": 2**22 + 1}))  # it is dead
    spec = ScalePool(site=STACK, pool=POOL, nodes=4, epoch=2)
    facts = facts_of(play(ScalePoolHandler(world), spec, step("knob")), ScalePoolFacts)
    assert isinstance(facts, ScalePoolFacts)
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert f"ann@{socket.gethostname()}" in facts.why
    assert world.pools.sizes(POOL)["own-metal"] == 4


def test_where_the_backend_of_the_state_is_gone_the_cloud_itself_is_asked(
    risen: StandinSite, step: Callable[..., StandinContext]
) -> None:
    risen.state.rename(risen.folder / "gone")
    world = StandinWorld(risen)
    spec = ScalePool(site=STACK, pool=POOL, nodes=3, epoch=2)
    facts = facts_of(play(ScalePoolHandler(world), spec, step("knob")), ScalePoolFacts)
    assert isinstance(facts, ScalePoolFacts)
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert "out of reach" in facts.why
    assert world.pools.sizes(POOL)["own-metal"] == 3
