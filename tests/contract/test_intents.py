"""The promises of intents, how large pools should be: the fake, and the witness on real stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from relight.errors import Conflict
from relight.fence.adapters.intents import ObjectIntents
from relight.objects.adapters.obstore import memory_objects
from relight.provision import Intents
from relight.provision.fake import FakeIntents
from relight.situation import Intent
from rig.context import START
from rig.races import race
from rig.stores import moto_store, objects_at


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_store() as started:
        yield started


@pytest.fixture(params=["fake", "memory", "moto"])
def intents(request: pytest.FixtureRequest) -> Intents:
    if request.param == "fake":
        return FakeIntents()
    if request.param == "memory":
        return ObjectIntents(memory_objects())
    return ObjectIntents(objects_at(request.getfixturevalue("endpoint"), prefix=f"t{uuid4().hex}"))


def decide(
    intents: Intents,
    nodes: int,
    *,
    pool: str = "train",
    epoch: int = 2,
    active: bool = True,
    quiet: bool = False,
    by: str = "run-1",
    later: int = 0,
) -> Intent:
    return intents.decide(
        "south",
        pools={pool: {"reservation": nodes}},
        active=active,
        epoch=epoch,
        by=by,
        at=START + timedelta(seconds=later),
        quiet=quiet,
    )


def test_of_a_site_that_nobody_decided_about_nothing_is_known(intents: Intents) -> None:
    assert intents.intent("south") is None


def test_pools_are_decided_one_by_one_and_a_site_never_forgets_the_others(intents: Intents) -> None:
    decide(intents, 10)
    now = decide(intents, 4, pool="serve", by="run-2", later=1)
    assert now.pools == {"train": {"reservation": 10}, "serve": {"reservation": 4}}
    assert now.changed_by == "run-2"
    assert intents.intent("south") == now
    assert intents.intent("north") is None


def test_what_was_decided_already_is_not_decided_again(intents: Intents) -> None:
    first = decide(intents, 10)
    assert decide(intents, 10, by="run-1", later=60) == first
    assert decide(intents, 10, by="run-2", later=60) == first


def test_a_run_of_the_past_shrinks_nothing(intents: Intents) -> None:
    decide(intents, 10, epoch=3)
    with pytest.raises(Conflict, match="epoch"):
        decide(intents, 2, epoch=2, by="run-0")
    now = intents.intent("south")
    assert now is not None
    assert now.pools["train"] == {"reservation": 10}


def test_a_pool_set_back_follows_the_estate_until_it_is_decided_anew(intents: Intents) -> None:
    decide(intents, 10)
    back = decide(intents, 2, epoch=3, active=False, quiet=True, later=1)
    assert (back.quiet, back.active) == (("train",), False)
    both = decide(intents, 1, pool="serve", epoch=3, active=False, later=2)
    assert both.quiet == ("train",)
    anew = decide(intents, 2, epoch=3, active=False, later=3)
    assert anew.quiet == ()  # the same size, and meant to stay so


def test_of_several_at_once_each_one_is_kept(intents: Intents) -> None:
    pools = [f"pool-{number}" for number in range(6)]
    race(6, lambda number: decide(intents, number, pool=pools[number], by=f"run-{number}"))
    now = intents.intent("south")
    assert now is not None
    assert {pool: sizes["reservation"] for pool, sizes in now.pools.items()} == {
        pool: number for number, pool in enumerate(pools)
    }
