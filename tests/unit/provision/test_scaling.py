"""The knob: intent, engine, the cloud's own API, and patience."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.errors import Conflict, LeaseLost, Unreachable
from relight.plan import Done, Failed, Retry, Working
from relight.provision import Lock, ScalePool, ScalePoolFacts
from relight.provision.scaling import ScalePoolHandler
from rig.context import START
from rig.standin.inline import METAL, SPOT, FakeWorld, InlineContext, play
from rig.standin.site import POOL, STACK, estate_with_a_pool

LOCK = Lock(id="lock-1", user="ann", host="elsewhere", pid=1, since=START)
SPEC = ScalePool(site=STACK, pool=POOL, nodes=6, epoch=2)
BY_ENGINE = SPEC.model_copy(update={"allow_direct": False})


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    made = FakeWorld(tmp_path)
    made.stacks.up(STACK)
    return made


@pytest.fixture
def context(world: FakeWorld) -> InlineContext:
    return InlineContext(world=world)


def facts_of(outcome: object) -> ScalePoolFacts:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, ScalePoolFacts)
    return outcome.facts


def test_the_intent_is_written_before_the_engine_is_asked(world: FakeWorld, context: InlineContext) -> None:
    handler = ScalePoolHandler(world)
    handler.attempt(SPEC, context)
    intent = world.kept.kept[STACK]
    assert (intent.pools[POOL], intent.epoch, intent.active) == ({"own-metal": 4, "spot": 2}, 2, True)
    facts = facts_of(play(handler, SPEC, context))
    assert (facts.sizes, facts.via, facts.short) == ({"own-metal": 4, "spot": 2}, "engine", 0)
    assert world.stacks.cloud[STACK][SPOT]["desiredCapacity"] == 2
    assert len(context.started) == 1


def test_a_step_that_is_tried_again_changes_nothing_twice(world: FakeWorld, context: InlineContext) -> None:
    facts_of(play(ScalePoolHandler(world), SPEC, context))
    context.attempt = 2
    facts_of(play(ScalePoolHandler(world), SPEC, context))
    assert (world.kept.writes, len(context.started), world.stacks.updates) == (1, 1, 2)


def test_nothing_is_written_by_who_has_lost_the_lease(world: FakeWorld, context: InlineContext) -> None:
    context.may_act = False
    with pytest.raises(LeaseLost):
        ScalePoolHandler(world).attempt(SPEC, context)
    assert not world.kept.kept
    assert not context.started


def test_a_run_of_the_past_shrinks_nothing(world: FakeWorld, context: InlineContext) -> None:
    facts_of(play(ScalePoolHandler(world), SPEC.model_copy(update={"epoch": 7}), context))
    with pytest.raises(Conflict, match="epoch 7"):
        ScalePoolHandler(world).attempt(SPEC.model_copy(update={"nodes": 0}), context)
    assert world.stacks.cloud[STACK][METAL]["desiredCapacity"] == 4


def test_a_witness_that_is_away_is_waited_for(world: FakeWorld, context: InlineContext) -> None:
    world.kept.is_away = True
    with pytest.raises(Unreachable):
        ScalePoolHandler(world).attempt(SPEC, context)
    assert not context.started


def test_an_update_that_would_change_more_than_sizes_is_not_begun(
    world: FakeWorld, context: InlineContext
) -> None:
    world.image = "b"
    outcome = play(ScalePoolHandler(world), BY_ENGINE, context)
    assert isinstance(outcome, Failed), outcome
    assert f"{METAL}: image" in outcome.reason
    assert world.pools.pools[POOL] == {"own-metal": 2, "spot": 0}
    context.attempt = 2
    facts = facts_of(play(ScalePoolHandler(world), SPEC, context))
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert f"{METAL}: image" in facts.why
    assert world.pools.pools[POOL] == {"own-metal": 4, "spot": 2}
    assert world.stacks.cloud[STACK][METAL] == {"desiredCapacity": 2, "image": "a"}


@pytest.mark.parametrize("own", [{"own-metal": 1, "spot": 0}, {"own-metal": 2, "spot": 0}])
def test_a_program_with_other_sizes_than_were_decided_is_never_applied(
    world: FakeWorld, context: InlineContext, own: dict[str, int]
) -> None:
    world.own_sizes = own
    outcome = play(ScalePoolHandler(world), BY_ENGINE, context)
    assert isinstance(outcome, Failed), outcome
    assert f"own-metal {own['own-metal']} instead of 4, spot 0 instead of 2" in outcome.reason
    context.attempt = 2
    facts = facts_of(play(ScalePoolHandler(world), SPEC, context))
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert "other sizes than were decided" in facts.why
    assert world.pools.pools[POOL] == {"own-metal": 4, "spot": 2}
    assert world.stacks.cloud[STACK][METAL]["desiredCapacity"] == 2
    assert world.stacks.updates == 1


def test_a_program_that_does_not_say_its_sizes_is_never_applied(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.exports_nodes = False
    assert isinstance(play(ScalePoolHandler(world), BY_ENGINE, context), Failed)
    assert world.stacks.updates == 1


@pytest.mark.parametrize("nodes", [6, 0])
def test_what_the_cloud_has_beside_the_state_is_put_right_and_is_no_drift(
    world: FakeWorld, context: InlineContext, nodes: int
) -> None:
    spec = SPEC.model_copy(update={"nodes": nodes})
    facts_of(play(ScalePoolHandler(world), spec, context))
    wanted = dict(world.pools.pools[POOL])
    world.pools.pools[POOL] = {"own-metal": 3, "spot": 1}
    context.attempt = 2
    facts = facts_of(play(ScalePoolHandler(world), spec, context))
    assert (facts.via, facts.drift) == ("engine", False)
    assert world.pools.pools[POOL] == wanted
    world.pools.pools[POOL] = {"own-metal": 3, "spot": 1}
    outcome = play(ScalePoolHandler(world), spec.model_copy(update={"allow_direct": False}), context)
    assert isinstance(outcome, Failed), outcome
    assert "the cloud has own-metal 3, spot 1" in outcome.reason


@pytest.mark.parametrize("trouble", ["no passphrase", "it breaks", "the cloud's provider refuses"])
def test_whatever_keeps_the_engine_from_it_the_nodes_come_and_why_is_on_record(
    world: FakeWorld, context: InlineContext, trouble: str
) -> None:
    if trouble == "no passphrase":
        world.lacks = trouble
    elif trouble == "it breaks":
        context.breaks, trouble = True, "No module named 'pulumi'"
    else:
        world.stacks.fails = {METAL: trouble}
    facts = facts_of(play(ScalePoolHandler(world), SPEC, context))
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert trouble in facts.why
    assert world.pools.pools[POOL] == {"own-metal": 4, "spot": 2}
    context.attempt, context.process = 2, None
    outcome = play(ScalePoolHandler(world), BY_ENGINE.model_copy(update={"nodes": 5}), context)
    assert isinstance(outcome, Failed), outcome
    assert trouble in outcome.reason


def test_where_the_cloud_itself_will_not_either_both_reasons_are_told(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.lock_it(STACK, LOCK)
    world.pools.refuses = {"spot": "no quota"}
    outcome = play(ScalePoolHandler(world), SPEC, context)
    assert isinstance(outcome, Failed), outcome
    assert "no quota" in outcome.reason
    assert "lock-1" in outcome.reason
    world.pools.is_away, context.attempt = True, 2
    later = play(ScalePoolHandler(world), SPEC, context)
    assert isinstance(later, Retry), later
    assert "the cloud is out of reach" in later.reason
    assert "lock-1" in later.reason


def test_nodes_that_come_for_pods_are_not_waited_for_and_do_not_move_on(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path)
    world.estate = estate_with_a_pool([{"kind": "flex-start", "nodes": 4}, {"kind": "spot", "nodes": 4}])
    world.stacks.is_away = True
    world.pools.pools[POOL] = {"flex-start": 0, "spot": 0}
    world.pools.gives = {"flex-start": 0}
    context = InlineContext(world=world)
    spec = ScalePool(site=STACK, pool=POOL, nodes=5, epoch=1, patience=timedelta(0))
    facts = facts_of(play(ScalePoolHandler(world), spec, context))
    assert world.pools.pools[POOL] == facts.sizes == {"flex-start": 4, "spot": 1}
    assert (facts.for_pods, facts.ready) == ({"flex-start": 4}, {"flex-start": 0, "spot": 1})
    world.pools.pools[POOL] = {"flex-start": 1, "spot": 0}  # the least that GKE allows
    asleep = spec.model_copy(update={"nodes": 0})
    assert facts_of(play(ScalePoolHandler(world), asleep, context)).sizes == {"flex-start": 0, "spot": 0}
    assert world.pools.pools[POOL]["flex-start"] == 1


@pytest.mark.parametrize("hindrance", ["locked", "away", "interrupted"])
def test_where_the_state_is_locked_or_gone_the_cloud_is_asked_and_the_drift_recorded(
    world: FakeWorld, context: InlineContext, hindrance: str
) -> None:
    if hindrance == "locked":
        world.stacks.lock_it(STACK, LOCK)
    elif hindrance == "interrupted":
        world.stacks.cut_off(STACK, SPOT)
    world.stacks.is_away = hindrance == "away"
    facts = facts_of(play(ScalePoolHandler(world), SPEC, context))
    assert (facts.via, facts.drift) == ("cloud-api", True)
    assert facts.why
    assert world.pools.pools[POOL] == {"own-metal": 4, "spot": 2}
    assert world.kept.kept[STACK].pools[POOL] == {"own-metal": 4, "spot": 2}


def test_without_leave_to_go_around_the_engine_a_dead_lock_is_for_people(
    world: FakeWorld, context: InlineContext
) -> None:
    world.stacks.lock_it(STACK, LOCK)
    outcome = play(ScalePoolHandler(world), BY_ENGINE, context)
    assert isinstance(outcome, Failed)
    assert "lock-1" in outcome.reason
    world.stacks.lock_it(STACK, None)
    world.stacks.is_away, context.attempt = True, 2
    assert isinstance(play(ScalePoolHandler(world), BY_ENGINE, context), Retry)
    assert world.pools.pools[POOL] == {"own-metal": 2, "spot": 0}


def test_what_a_rung_does_not_deliver_in_its_patience_moves_on(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path)
    rungs: list[dict[str, Any]] = [
        {"kind": "spot", "nodes": 4},
        {"kind": "on-demand", "nodes": 2},
        {"kind": "own-metal", "nodes": 4},
    ]
    world.estate = estate_with_a_pool(rungs)
    world.stacks = type(world.stacks)(lambda _: {}, {"pools": {POOL: {}}})
    world.stacks.is_away = True
    world.pools.pools[POOL] = {"spot": 0, "on-demand": 0, "own-metal": 0}
    world.pools.gives = {"spot": 1, "on-demand": 0}
    context = InlineContext(world=world)
    spec = ScalePool(site=STACK, pool=POOL, nodes=4, epoch=1, patience=timedelta(seconds=60))
    early = play(ScalePoolHandler(world), spec, context, calls=8)
    assert isinstance(early, Working)
    assert world.pools.pools[POOL] == {"spot": 4, "on-demand": 0, "own-metal": 0}
    facts = facts_of(play(ScalePoolHandler(world), spec, context, calls=200))
    assert facts.sizes == {"spot": 1, "on-demand": 0, "own-metal": 3}
    assert facts.moved == ("spot", "on-demand")
    assert timedelta(seconds=120) <= context.clock - START < timedelta(seconds=140)


def test_more_nodes_than_all_rungs_have_are_given_as_far_as_they_go_and_what_lacks_is_told(
    world: FakeWorld, context: InlineContext
) -> None:
    facts = facts_of(play(ScalePoolHandler(world), SPEC.model_copy(update={"nodes": 20}), context))
    assert (sum(facts.sizes.values()), facts.short) == (8, 12)


@pytest.mark.parametrize("sizes", [{"gone": 1}, {"spot": 5}])
def test_sizes_that_the_rungs_do_not_have_fail_before_anything_is_written(
    world: FakeWorld, context: InlineContext, sizes: dict[str, int]
) -> None:
    spec = ScalePool(site=STACK, pool=POOL, sizes=sizes, epoch=1)
    assert isinstance(ScalePoolHandler(world).attempt(spec, context), Failed)
    assert not world.kept.kept


def test_an_update_whose_process_vanished_is_started_again_by_the_next_attempt(
    world: FakeWorld, context: InlineContext
) -> None:
    context.vanishes = True
    assert isinstance(play(ScalePoolHandler(world), SPEC, context), Retry)
    context.vanishes, context.attempt = False, 2
    facts_of(play(ScalePoolHandler(world), SPEC, context))
    assert len(context.started) == 2
