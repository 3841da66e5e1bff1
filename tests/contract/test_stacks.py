"""What every `Stacks` promises, the fake one and Pulumi's engine alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from relight.errors import Conflict, NotFound
from relight.provision import (
    Deviates,
    Interrupted,
    Lock,
    Locked,
    Stacks,
    UpdateFailed,
)
from relight.provision.fake import FakeStacks, urn_of
from rig.standin.site import NEEDS_ENGINE, POOL, STACK, StandinSite
from rig.standin.site import urn_of as standin_urn_of

METAL, SPOT = f"{POOL}-own-metal", f"{POOL}-spot"
LOCK = Lock(
    id="b8fa10fe-7fa2-446c-866b-5e6f5c8380b2",
    user="ann",
    host="elsewhere",
    pid=4711,
    since=datetime(2026, 11, 1, 3, 0, tzinfo=UTC),
)


class Bench(Protocol):
    """Stacks, and what hinders them."""

    stacks: Stacks

    def urn(self, name: str) -> str: ...
    def want(self, metal: int, spot: int = 0) -> None: ...
    def fail(self, name: str, message: str) -> None: ...
    def hold(self, lock: Lock) -> None: ...
    def cut_off(self, name: str) -> str: ...
    def drift(self, name: str, nodes: int) -> None: ...
    def sizes(self) -> dict[str, int]: ...


class FakeBench:
    def __init__(self) -> None:
        self.want(2)
        self.fake = FakeStacks(lambda _: self.wanted)
        self.stacks: Stacks = self.fake

    def urn(self, name: str) -> str:
        return urn_of(STACK, name)

    def want(self, metal: int, spot: int = 0) -> None:
        self.wanted: dict[str, dict[str, Any]] = {
            METAL: {"desiredCapacity": metal},
            SPOT: {"desiredCapacity": spot},
        }

    def fail(self, name: str, message: str) -> None:
        self.fake.fails = {name: message}

    def hold(self, lock: Lock) -> None:
        self.fake.lock_it(STACK, lock)

    def cut_off(self, name: str) -> str:
        self.fake.cut_off(STACK, name)
        return "any-id"

    def drift(self, name: str, nodes: int) -> None:
        self.fake.cloud[STACK][name]["desiredCapacity"] = nodes

    def sizes(self) -> dict[str, int]:
        return {name: int(str(inputs["desiredCapacity"])) for name, inputs in self.fake.cloud[STACK].items()}


class EngineBench:
    def __init__(self, site: StandinSite) -> None:
        self.site = site
        self.stacks: Stacks = site.stacks()

    def urn(self, name: str) -> str:
        return standin_urn_of(name)

    def want(self, metal: int, spot: int = 0) -> None:
        self.site.want(pools={POOL: {"own-metal": metal, "spot": spot}})

    def fail(self, name: str, message: str) -> None:
        self.site.hinder(fails={name: message})

    def hold(self, lock: Lock) -> None:
        self.site.hold(lock)

    def cut_off(self, name: str) -> str:
        self.site.cut_off(name)
        (made,) = self.site.ids(name)
        return made

    def drift(self, name: str, nodes: int) -> None:
        self.site.change_cloud(name, desiredCapacity=nodes)

    def sizes(self) -> dict[str, int]:
        return {
            made.rpartition("-")[0]: each["inputs"]["desiredCapacity"]
            for made, each in self.site.cloud()["resources"].items()
            if made.startswith(POOL)
        }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> StandinSite:
    made = StandinSite(tmp_path_factory.mktemp("contract"))
    made.stacks().up(STACK)
    return made


@pytest.fixture(params=["fake", pytest.param("engine", marks=[pytest.mark.pulumi_engine, NEEDS_ENGINE])])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A stack that is up, with two nodes of own metal and no spot ones."""
    if request.param == "fake":
        fake = FakeBench()
        fake.stacks.up(STACK)
        yield fake
    else:
        yield EngineBench(StandinSite(tmp_path / "site", like=request.getfixturevalue("first")))


def test_a_preview_changes_nothing_and_the_update_does_just_what_it_says(bench: Bench) -> None:
    assert bench.stacks.preview(STACK).changes == ()
    bench.want(metal=4, spot=1)
    preview = bench.stacks.preview(STACK)
    assert [(change.name, change.op, change.paths) for change in preview.changes] == [
        (METAL, "update", ("desiredCapacity",)),
        (SPOT, "update", ("desiredCapacity",)),
    ]
    assert bench.sizes() == {METAL: 2, SPOT: 0}
    told: list[tuple[int, int | None, str]] = []
    update = bench.stacks.up(
        STACK, expect_digest=preview.digest, on_progress=lambda *progress: told.append(progress)
    )
    assert bench.sizes() == {METAL: 4, SPOT: 1}
    assert update.counts["update"] == 2
    assert {(total, doing) for _, total, doing in told} >= {
        (2, f"updating {METAL}"),
        (2, f"updating {SPOT}"),
    }


def test_an_update_whose_preview_is_another_than_approved_changes_nothing(bench: Bench) -> None:
    bench.want(metal=4)
    approved = bench.stacks.preview(STACK).digest
    bench.want(metal=3)
    with pytest.raises(Deviates):
        bench.stacks.up(STACK, expect_digest=approved)
    assert bench.sizes() == {METAL: 2, SPOT: 0}


def test_what_is_left_of_an_approved_update_is_done_and_no_other(bench: Bench) -> None:
    bench.want(metal=4, spot=1)
    seen = bench.stacks.preview(STACK)
    approved = tuple(change.approved for change in seen.changes)
    bench.stacks.up(STACK, targets=(bench.urn(SPOT),))
    for metal, spot in ((3, 1), (4, 0), (2, 1)):
        bench.want(metal, spot)
        with pytest.raises(Deviates):
            bench.stacks.up(STACK, expect_digest=seen.digest, approved=approved)
    bench.want(metal=4, spot=1)
    with pytest.raises(Deviates):
        bench.stacks.up(STACK, expect_digest=seen.digest)
    bench.stacks.up(STACK, expect_digest=seen.digest, approved=approved)
    bench.stacks.up(STACK, expect_digest=seen.digest)  # nothing is left
    assert bench.sizes() == {METAL: 4, SPOT: 1}


def test_a_targeted_update_leaves_everything_else_as_it_is(bench: Bench) -> None:
    bench.want(metal=4, spot=1)
    bench.stacks.up(STACK, targets=(bench.urn(SPOT),))
    assert bench.sizes() == {METAL: 2, SPOT: 1}


def test_what_the_cloud_refuses_is_told_in_its_own_words(bench: Bench) -> None:
    bench.want(metal=4)
    bench.fail(METAL, "the quota is 3")
    with pytest.raises(UpdateFailed, match=r"own-metal.*the quota is 3"):
        bench.stacks.up(STACK)


def test_drift_is_told_and_changes_nothing_until_a_refresh_takes_it_in(bench: Bench) -> None:
    assert bench.stacks.drift(STACK).is_clean
    bench.drift(METAL, nodes=1)
    (change,) = bench.stacks.drift(STACK).changes
    assert (change.name, change.paths) == (METAL, ("desiredCapacity",))
    assert not bench.stacks.drift(STACK).is_clean
    bench.stacks.refresh(STACK)
    assert bench.stacks.drift(STACK).is_clean
    assert bench.sizes()[METAL] == 1


def test_an_update_after_one_that_was_cut_off_waits_until_what_it_made_is_settled(bench: Bench) -> None:
    made = bench.cut_off(SPOT)
    with pytest.raises(Interrupted) as met:
        bench.stacks.up(STACK)
    (pending,) = met.value.pending
    assert (pending.name, pending.urn) == (SPOT, bench.urn(SPOT))
    bench.stacks.refresh(STACK, adopt={pending.urn: made})
    assert bench.stacks.preview(STACK).changes == ()


def test_what_a_cut_off_update_did_not_make_is_made_by_the_next(bench: Bench) -> None:
    bench.cut_off(SPOT)
    bench.stacks.refresh(STACK)
    assert [(each.name, each.op) for each in bench.stacks.preview(STACK).changes] == [(SPOT, "create")]


def test_only_the_lock_that_is_named_is_taken_away(bench: Bench) -> None:
    assert bench.stacks.lock(STACK) is None
    bench.hold(LOCK)
    assert bench.stacks.lock(STACK) == LOCK
    with pytest.raises(Locked, match="ann@elsewhere") as met:
        bench.stacks.up(STACK)
    assert met.value.lock == LOCK
    with pytest.raises(Conflict):
        bench.stacks.cancel(STACK, "00000000-0000-0000-0000-000000000000")
    bench.stacks.cancel(STACK, LOCK.id)
    bench.stacks.cancel(STACK, LOCK.id)
    assert bench.stacks.lock(STACK) is None


def test_a_stack_that_never_was_is_not_found(bench: Bench) -> None:
    for ask in (bench.stacks.drift, bench.stacks.refresh, bench.stacks.outputs):
        with pytest.raises(NotFound, match="nowhere"):
            ask("nowhere")
