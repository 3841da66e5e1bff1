"""The program that `relight init` writes, run by the real engine on stand-ins of the clouds' providers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from relight.app import World, open_world
from relight.errors import RelightError
from relight.plan import Done, Failed
from relight.provision import PoolSizes, ScalePool, ScalePoolFacts, StackUp, StackUpFacts
from relight.provision.fake import FakePools
from relight.provision.handlers import ScalePoolHandler, StackUpHandler
from relight.supervisor import Supervisor
from rig.standin.shipped import PASSPHRASE, ShippedProject
from rig.standin.site import NEEDS_ENGINE, StandinContext, play
from rig.stores import moto_store

pytestmark = [pytest.mark.pulumi_engine, NEEDS_ENGINE]
GROUP = "aws:eks/nodeGroup:NodeGroup"
PATIENCE = 120.0  # s; a hundred resources on a busy machine


class PooledWorld(World):
    """The real world but for the cloud's own API: there every node that was asked for is up."""

    pools = FakePools({"train": {"reservation": 10}, "serve": {"reservation": 4}})

    def pool_sizes(self, site: str) -> PoolSizes:
        return self.pools


@pytest.fixture(scope="module")
def witness() -> Iterator[str]:
    with moto_store() as endpoint:
        yield endpoint


@pytest.fixture
def start(
    witness: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[ShippedProject, PooledWorld]]:
    def make(example: str) -> tuple[ShippedProject, PooledWorld]:
        project = ShippedProject(tmp_path, example, witness)
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        real = open_world(project.root)
        return project, PooledWorld(project.found, real.estate)

    return make


def sizes_of(project: ShippedProject) -> dict[str, int]:
    """Nodes per rung of the node groups that there are."""
    groups = [each for each in project.cloud().values() if each["type"] == GROUP]
    return {
        each["urn"].rpartition("::")[2]: each["inputs"]["scalingConfig"]["desiredSize"] for each in groups
    }


def test_a_standby_of_an_example_comes_up_grows_and_keeps_its_size_whatever_an_old_checkout_says(
    start: Callable[[str], tuple[ShippedProject, PooledWorld]], tmp_path: Path
) -> None:
    project, world = start("active-passive")
    supervisor = Supervisor(tmp_path / "processes")

    up = play(
        StackUpHandler(world), StackUp(stack="oregon"), StandinContext(supervisor, "up"), patience=PATIENCE
    )
    assert isinstance(up, Done), up
    assert isinstance(up.facts, StackUpFacts)
    assert sizes_of(project) == {"train-reservation": 2, "serve-reservation": 1}
    assert world.stacks("oregon").preview("oregon").changes == ()
    before = project.cloud()

    knob = ScalePool(site="oregon", pool="train", nodes=10, epoch=2, patience=timedelta(minutes=1))
    turned = play(
        ScalePoolHandler(world), knob, StandinContext(supervisor, "grow", run="run-2"), patience=PATIENCE
    )
    assert isinstance(turned, Done), turned
    assert isinstance(turned.facts, ScalePoolFacts)
    assert turned.facts.via == "engine"
    assert sizes_of(project) == {"train-reservation": 10, "serve-reservation": 1}
    changed = [made for made, resource in project.cloud().items() if before[made] != resource]
    assert [made.rpartition("-")[0] for made in changed] == ["train-reservation"]
    assert world.stacks("oregon").preview("oregon").changes == ()

    # An old checkout, whose pool was smaller: its update fails, says why, and shrinks nothing.
    project.change_estate(lambda estate: estate["sites"]["oregon"]["pools"]["train"].update(OLD_POOL))
    old = PooledWorld(project.found, open_world(project.root).estate)
    refused = play(
        StackUpHandler(old),
        StackUp(stack="oregon"),
        StandinContext(supervisor, "up", run="run-3"),
        patience=PATIENCE,
    )
    assert isinstance(refused, Failed), refused
    assert "pool train has 10 nodes of reservation; the estate allows 4" in refused.reason
    assert sizes_of(project)["train-reservation"] == 10
    written = [*project.state.rglob("*.json"), *(tmp_path / "processes").rglob("*")]
    assert not [path for path in written if path.is_file() and PASSPHRASE.encode() in path.read_bytes()]


OLD_POOL = {
    "nodes": 4,
    "rungs": [{"kind": "reservation", "id": "cr-0a1b2c3d4e5f70718", "nodes": 4}],
}


def test_stacks_of_two_clouds_and_the_link_between_them_come_up_and_show_no_drift(
    start: Callable[[str], tuple[ShippedProject, PooledWorld]],
) -> None:
    project, world = start("pilot-light")
    with pytest.raises(RelightError, match=r"bring up .*(ohio|iowa) before the link backbone"):
        world.stacks("backbone").up("backbone")
    for stack in ("ohio", "iowa", "global", "backbone"):
        assert world.stacks(stack).up(stack).counts["create"] > 3
        drift = world.stacks(stack).drift(stack)
        assert drift.changes == (), drift
    assert {each["type"].split(":")[0] for each in project.cloud().values()} == {"aws", "gcp"}
