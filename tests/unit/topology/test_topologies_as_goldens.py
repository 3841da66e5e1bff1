"""Every topology on every cloud, as data: the whole stack for active-passive, and what others change of it.

Look at a golden to see what is made; look at its diff in a review to see what a change to a component does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from relight.estate import Estate, check_estate, load_estate
from relight.provision.port import Change
from relight.provision.sizes import ANNOTATION, what_else
from relight.topology import graph_of, stack_names
from relight.topology.billing import billing_of
from relight.topology.graph import Graph
from relight.topology.policy import violations
from rig.files import EXAMPLES
from rig.goldens import STACKS, check_golden
from rig.topologies import CLOUDS, TOPOLOGIES, estate_on

NOW = datetime(2026, 12, 1, tzinfo=UTC)
BASE = "active-passive"
OTHERS = [topology for topology in TOPOLOGIES if topology != BASE]
WHOLE = [(cloud, stack) for cloud in CLOUDS for stack in stack_names(estate_on(cloud, BASE))]
SHIPPED = [(path.stem, stack) for path in EXAMPLES for stack in stack_names(load_estate(path))]


@cache
def graph_on(cloud: str, topology: str, stack: str) -> Graph:
    return graph_of(estate_on(cloud, topology), stack, NOW)


@cache
def shipped(example: str) -> Estate:
    return load_estate(next(path for path in EXAMPLES if path.stem == example))


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """JSON as its leaves, by path."""
    if isinstance(value, Mapping):
        items = [(f"{path}.{key}" if path else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{at}]", inner) for at, inner in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for at, inner in items for key, leaf in flat(inner, at).items()}


def changes(before: Any, now: Any) -> dict[str, Any]:
    was, has = flat(before), flat(now)
    paths = sorted(path for path in was.keys() | has.keys() if was.get(path) != has.get(path))
    return {path: [was.get(path), has.get(path)] for path in paths}


def difference(base: Graph, other: Graph) -> dict[str, Any]:
    """What another graph has more, has not, and has otherwise: [before, now] by path."""
    before = {resource.address: resource for resource in base.resources}
    now = {resource.address: resource for resource in other.resources}
    common = before.keys() & now.keys()
    changed = {address: changes(before[address].to_dict(), now[address].to_dict()) for address in common}
    return {
        "stack": other.stack,
        "more": [now[address].to_dict() for address in sorted(now.keys() - before.keys())],
        "less": sorted(before.keys() - now.keys()),
        "otherwise": {address: paths for address, paths in sorted(changed.items()) if paths},
        "outputs": changes(base.outputs, other.outputs),
    }


@pytest.mark.parametrize(("cloud", "stack"), WHOLE)
def test_a_stack_is_as_its_golden_says(cloud: str, stack: str) -> None:
    check_golden(STACKS / f"{cloud}.{BASE}.{stack}.json", graph_on(cloud, BASE, stack))


@pytest.mark.parametrize("topology", OTHERS)
@pytest.mark.parametrize(("cloud", "stack"), WHOLE)
def test_a_topology_changes_what_its_golden_says(cloud: str, stack: str, topology: str) -> None:
    changed = difference(graph_on(cloud, BASE, stack), graph_on(cloud, topology, stack))
    check_golden(STACKS / f"{cloud}.{topology}.{stack}.changes.json", changed)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_estates_behind_the_goldens_have_no_error(cloud: str, topology: str) -> None:
    checks = check_estate(estate_on(cloud, topology))
    assert [check for check in checks if check.severity == "error"] == []


@pytest.mark.parametrize(("example", "stack"), SHIPPED)
def test_every_stack_of_every_example_keeps_the_rules_and_has_known_bills(example: str, stack: str) -> None:
    for at_full in (False, True):
        graph = graph_of(shipped(example), stack, NOW, at_full=at_full)
        assert violations(graph, shipped(example), stack) == ()
        unknown = [r.type for r in graph.resources if not r.component and not billing_of(r.type, r.inputs)]
        assert unknown == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_only_the_sizes_tell_a_pilot_light_from_a_burst_from_a_standby(cloud: str) -> None:
    sizes = {t: nodes_of(graph_on(cloud, t, "south")) for t in TOPOLOGIES}
    assert sizes["pilot-light"] == sizes["cloud-burst"] == {"gpu": 0, "serve": 0} | no_serve(cloud)
    assert sizes["active-passive"] == {"gpu": 2, "serve": 1} | no_serve(cloud)
    assert sizes["active-active"] == {"gpu": 20, "serve": 8} | no_serve(cloud)


def no_serve(cloud: str) -> dict[str, int]:
    return {} if cloud != "kubernetes" else {"serve": -1}


def nodes_of(graph: Graph) -> dict[str, int]:
    """Nodes by pool, as the stack's outputs have them; -1 for a pool that there is not."""
    pools: Any = graph.outputs["pools"]
    return {"serve": -1} | {
        pool: sum(rung["nodes"] for rung in rungs.values()) for pool, rungs in pools.items()
    }


def as_the_engine_says(path: str) -> str:
    """A path of a graph's inputs, which knows JSON in texts, as the engine's provider writes it."""
    within, annotated, _ = path.removeprefix("inputs.").partition(f".{ANNOTATION}")
    return f'{within}["{ANNOTATION}"]' if annotated else within


@pytest.mark.parametrize("topology", ["active-passive", "pilot-light", "cloud-burst"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_growing_a_standby_changes_sizes_of_its_pools_and_nothing_else(cloud: str, topology: str) -> None:
    """In the words of the step that turns the knob: what it would refuse must not be in a stack's growth."""
    quiet = graph_on(cloud, topology, "south")
    full = graph_of(estate_on(cloud, topology), "south", NOW, at_full=True)
    changed = [
        Change(
            urn=now.urn,
            name=now.name,
            type=now.type,
            op="update",
            # What is protected is the engine's own affair: to it that alone is no change.
            paths=tuple(
                as_the_engine_says(path)
                for path in changes(before.to_dict(), now.to_dict())
                if path != "protect"
            ),
        )
        for before, now in zip(quiet.resources, full.resources, strict=True)
        if before != now
    ]
    pools: Any = full.outputs["pools"]
    targets = {
        urn for rungs in pools.values() for rung in rungs.values() for urn in rung.get("urns", [rung["urn"]])
    }
    assert changed
    assert what_else(changed, targets) == ()


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_what_carries_work_is_protected_and_what_sleeps_can_go(cloud: str) -> None:
    estate = estate_on(cloud, "active-passive")
    groups = ("NodeGroup", "Group", "NodePool", "InstanceGroupManager")
    for site, at_full, carries in (("north", False, True), ("south", False, False), ("south", True, True)):
        graph = graph_of(estate, site, NOW, at_full=at_full)
        found = {
            resource.name: resource.protect
            for resource in graph.resources
            if resource.type.rpartition(":")[2] in groups and nodes_asked(graph, resource.name)
        }
        assert found
        assert set(found.values()) == {carries}, (site, found)


def nodes_asked(graph: Graph, group: str) -> int:
    pools: Any = graph.outputs["pools"]
    sizes = {f"{pool}-{key}": rung["nodes"] for pool, rungs in pools.items() for key, rung in rungs.items()}
    return int(sizes.get(group, 0))
