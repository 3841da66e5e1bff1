"""Updates, drift and capacity: what their handlers make of what they find."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.errors import Conflict
from relight.estate import load_estate
from relight.plan import GRACE, REDACT, Done, Failed, Retry, Working
from relight.provision import (
    Approved,
    CapacityCheck,
    CapacityFacts,
    Engine,
    Lock,
    PendingCreate,
    StackDrift,
    StackDriftFacts,
    StackUp,
    StackUpFacts,
    engine_of,
)
from relight.provision.fake import FakeFinder, urn_of
from relight.provision.handlers import CapacityCheckHandler, StackDriftHandler, StackUpHandler, find_all
from relight.provision.surroundings import prepare_work, start_work
from relight.provision.work import Call, blanker, tell_progress
from rig.context import START
from rig.files import EXAMPLES
from rig.standin.inline import SPOT, FakeWorld, InlineContext, play
from rig.standin.site import POOL, STACK

DEAD = Lock(id="lock-1", user="ann", host=socket.gethostname(), pid=2**22 + 1, since=START)
SPEC = StackUp(stack=STACK, settle=timedelta(seconds=30))


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return FakeWorld(tmp_path)


@pytest.fixture
def context(world: FakeWorld) -> InlineContext:
    return InlineContext(world=world, clock=datetime.now(UTC))


def facts_of(outcome: object) -> StackUpFacts:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, StackUpFacts)
    return outcome.facts


def test_an_update_is_done_once_however_often_it_is_asked_for(
    world: FakeWorld, context: InlineContext
) -> None:
    assert facts_of(play(StackUpHandler(world), SPEC, context)).counts == {"create": 2}
    context.attempt = 2
    facts_of(play(StackUpHandler(world), SPEC, context))
    assert world.stacks.updates == 1


def test_what_a_cut_off_update_made_is_adopted_without_waiting(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.cut_off(STACK, SPOT)
    world.stacks.cloud[STACK] = {SPOT: dict(world.stacks.program(STACK)[SPOT])}
    world.finds.there = {SPOT: "spot-7"}
    facts = facts_of(play(StackUpHandler(world), SPEC, context))
    assert (facts.adopted, facts.counts) == ((SPOT,), {"create": 1})
    assert context.calls()[-1].adopt == {urn_of(STACK, SPOT): "spot-7"}
    assert context.clock - datetime.now(UTC) < timedelta(seconds=5)


def test_what_is_not_there_is_made_again_only_once_it_had_time_to_show(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.cut_off(STACK, SPOT)
    began = context.clock
    facts = facts_of(play(StackUpHandler(world), SPEC, context, calls=60))
    assert (facts.adopted, facts.counts) == ((), {"create": 2})
    assert context.clock - began >= timedelta(seconds=28)
    assert len(world.finds.asked) > 5


def test_what_the_state_knows_is_not_what_was_cut_off_whatever_a_finder_says() -> None:
    cut_off = PendingCreate(urn="u::a", type="t", name="a", begun_at=START, known=("a-1",))
    assert find_all(FakeFinder({"a": "a-1"}), (cut_off,)) == {}
    assert find_all(FakeFinder({"a": "a-2"}), (cut_off,)) == {"u::a": "a-2"}


def test_two_that_fit_are_not_guessed_between(world: FakeWorld, context: InlineContext) -> None:
    def find(sought: PendingCreate) -> str | None:
        raise Conflict(f"two resources have the tags of {sought.name}")

    world.stacks.cut_off(STACK, SPOT)
    world.finds.find = find  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="two resources"):
        play(StackUpHandler(world), SPEC, context)
    assert len(context.started) == 1


def test_a_dead_lock_is_named_and_taken_away_only_by_its_own_approval(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.lock_it(STACK, DEAD)
    outcome = play(StackUpHandler(world), SPEC, context)
    assert isinstance(outcome, Failed)
    assert "lock-1 of ann@" in outcome.reason
    assert "dead" in outcome.reason
    assert "cancel_lock lock-1" in outcome.remedy
    context.attempt = 2
    other = play(StackUpHandler(world), SPEC.model_copy(update={"cancel_lock": "lock-2"}), context)
    assert isinstance(other, Retry)
    assert world.stacks.lock(STACK) == DEAD
    context.attempt = 3
    facts_of(play(StackUpHandler(world), SPEC.model_copy(update={"cancel_lock": "lock-1"}), context))
    assert world.stacks.lock(STACK) is None


def test_the_lock_of_a_living_update_is_never_taken_away(world: FakeWorld, context: InlineContext) -> None:
    living = DEAD.model_copy(update={"pid": os.getpid(), "since": datetime.now(UTC)})
    world.stacks.lock_it(STACK, living)
    outcome = play(StackUpHandler(world), SPEC.model_copy(update={"cancel_lock": "lock-1"}), context, calls=5)
    assert isinstance(outcome, Working)
    assert "waits for the update" in outcome.progress.note
    assert world.stacks.lock(STACK) == living


def test_after_an_update_that_was_waited_for_it_is_looked_again_before_anybody_is_asked(
    world: FakeWorld, context: InlineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = DEAD.model_copy(update={"pid": os.getpid(), "since": datetime.now(UTC)})
    world.stacks.lock_it(STACK, other)
    assert isinstance(play(StackUpHandler(world), SPEC, context, calls=3), Working)
    monkeypatch.setattr("relight.provision.handlers.is_alive", lambda _: False)  # it has ended, and well
    world.stacks.lock_it(STACK, None)
    facts_of(play(StackUpHandler(world), SPEC, context))


def test_a_lock_of_another_machine_is_left_to_people(world: FakeWorld, context: InlineContext) -> None:
    world.stacks.lock_it(STACK, DEAD.model_copy(update={"host": "elsewhere"}))
    outcome = play(StackUpHandler(world), SPEC, context)
    assert isinstance(outcome, Failed)
    assert "nobody can tell here" in outcome.reason


def test_drift_is_a_fact_and_what_cannot_be_looked_at_hides_nothing(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.up(STACK)
    world.stacks.cloud[STACK][SPOT]["desiredCapacity"] = 9
    outcome = play(StackDriftHandler(world), StackDrift(stacks=("nowhere", STACK)), context)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.facts, StackDriftFacts)
    assert outcome.facts.never_up == ("nowhere",)
    assert outcome.facts.drifted == {STACK: (f"update standin:index:Pool {SPOT}: desiredCapacity 9",)}


def test_only_guaranteed_rungs_have_a_number_and_the_rest_say_unknown(
    world: FakeWorld, context: InlineContext
) -> None:
    world.pools.gives = {"own-metal": 4, "spot": 99}
    outcome = CapacityCheckHandler(world).attempt(CapacityCheck(site=STACK, pool=POOL), context)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.facts, CapacityFacts)
    metal, spot = outcome.facts.rungs
    assert (metal.promise, metal.free, outcome.facts.guaranteed) == ("guaranteed", 2, 2)
    assert (spot.promise, spot.free) == ("best-effort", None)
    assert "tests permission, not capacity" in spot.note


def test_secrets_travel_by_the_environment_alone_and_are_named_for_blanking(
    world: FakeWorld, context: InlineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "planted-secret")
    engine = world.engine(STACK)
    monkeypatch.setattr(
        world,
        "engine",
        lambda _: type(engine)(engine.environment, {"PULUMI_CONFIG_PASSPHRASE": "env:PLANTED"}),
    )
    start_work(world, Call(task="drift", root="/p", stacks=(STACK,)), context)
    command, environment, _ = context.started[0]
    assert "planted-secret" not in " ".join(command)
    assert environment["PULUMI_CONFIG_PASSPHRASE"] == "planted-secret"
    assert environment[REDACT] == "PULUMI_CONFIG_PASSPHRASE"
    assert float(environment[GRACE]) >= 1800
    assert blanker(environment)("error: planted-secret is wrong") == "error: [redacted] is wrong"


def test_files_that_the_program_reads_by_itself_are_blanked_too_and_one_that_lacks_stops_nothing(
    world: FakeWorld, context: InlineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.project / "key.json").write_text("-----BEGIN KEY-----\nPLANTED4711\n-----END KEY-----", "utf-8")
    engine = Engine({}, {}, read=("file:key.json", "file:nowhere"))
    monkeypatch.setattr(world, "engine", lambda _: engine)
    work = prepare_work(world, Call(task="drift", root="/p", stacks=(STACK,)))
    assert work.environment[REDACT] == "RELIGHT_BLANKED_0"
    assert blanker(work.environment)("bad key PLANTED4711") == "bad key [redacted]"


def test_key_files_of_sites_and_of_the_witness_are_what_the_program_reads() -> None:
    estates = {path.stem: load_estate(path) for path in EXAMPLES}
    read = engine_of(estates["clusters"], "south", {}).read
    assert read == ("file:kubeconfig-north", "file:kubeconfig-south")
    engine = engine_of(estates["clusters"], "south", {"PULUMI_CONFIG_PASSPHRASE_FILE": "/etc/phrase"})
    assert engine.read[-1] == "file:/etc/phrase"


def test_what_names_credentials_by_a_role_of_the_machine_reaches_the_engine() -> None:
    estate = next(load_estate(path) for path in EXAMPLES if path.stem == "active-passive")
    given = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/v1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "planted-4711",
        "KUBERNETES_SERVICE_HOST": "192.0.2.2",
        "EDITOR": "vi",
    }
    engine = engine_of(estate, "oregon", given)
    assert given.keys() - engine.environment.keys() - engine.secrets.keys() == {"EDITOR"}
    assert "AWS_CONTAINER_AUTHORIZATION_TOKEN" in engine.secrets


def test_progress_is_told_as_the_supervisor_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    tell_progress(12, 30, "creating train-on-demand")
    tell_progress(3, None, "creating network")
    tell_progress(0, None, "reading")
    assert capsys.readouterr().out.splitlines() == [
        "::progress 0.40 12 of 30: creating train-on-demand",
        "::progress 3 done: creating network",
        "::progress reading",
    ]


def test_a_call_always_fits_into_the_argument_of_its_process(world: FakeWorld) -> None:
    for many in (10, 2_000):
        changes = tuple(Approved(urn=f"urn::{n}", op="create", digest="d" * 71) for n in range(many))
        call = Call(task="up", root="/p", stacks=(STACK,), expect_digest="d", expect_changes=changes)
        told = prepare_work(world, call).command[-1]
        assert len(told) < 128 * 1024
        read = Call.model_validate_json(told)
        assert read.expect_digest == "d"
        assert len(read.expect_changes) == (many if many == 10 else 0)
