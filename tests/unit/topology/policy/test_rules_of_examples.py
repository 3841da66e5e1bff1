"""Every stack of every example keeps every rule; and the tables of the rules fit the clouds' SDKs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from relight.estate import load_estate
from relight.provision import stack_names
from relight.topology.arguments import resource_arguments
from relight.topology.graph import Graph, run_under_mocks
from relight.topology.policy import violations
from relight.topology.policy.labels import LABELLED, TAGGED
from relight.topology.program import Decided, declare

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
STACKS = [
    (path.stem, stack) for path in sorted(EXAMPLES.glob("*.yaml")) for stack in stack_names(load_estate(path))
]
OUTPUTS = {"transitGateway": "tgw-0a", "network": "network", "router": "router", "vpnGateway": "gateway"}


@cache
def graph_of(example: str, stack: str) -> Graph:
    estate = load_estate(EXAMPLES / f"{example}.yaml")
    return run_under_mocks(
        lambda: declare(
            estate, stack, ask=lambda _: Decided(), now=datetime.now(UTC), resolve=lambda _: "a.planted.key"
        ),
        project=estate.name,
        stack=stack,
        references={f"organization/{estate.name}/{site}": OUTPUTS for site in estate.sites},
    )


@pytest.mark.parametrize(("example", "stack"), STACKS)
def test_a_stack_of_an_example_keeps_every_rule(example: str, stack: str) -> None:
    estate = load_estate(EXAMPLES / f"{example}.yaml")
    assert [str(found) for found in violations(graph_of(example, stack), estate, stack)] == []


def _takes(type_: str, word: str) -> bool:
    arguments = resource_arguments(type_)
    return arguments is not None and word in getattr(arguments, "__annotations__", {}) | vars(arguments)


@pytest.mark.parametrize("type_", sorted(TAGGED))
def test_what_must_have_tags_takes_tags(type_: str) -> None:
    assert _takes(type_, "tags")


@pytest.mark.parametrize("type_", sorted(LABELLED))
def test_what_must_have_labels_takes_labels(type_: str) -> None:
    assert _takes(type_, "resource_labels" if type_ == "gcp:container/cluster:Cluster" else "labels")


def test_whatever_takes_tags_or_labels_in_an_example_must_have_them() -> None:
    types = {each.type for at in STACKS for each in graph_of(*at).resources if not each.component}
    forgotten = {
        type_
        for type_ in types
        if (type_.startswith("aws:") and _takes(type_, "tags") and type_ not in TAGGED)
        or (type_.startswith("gcp:") and _takes(type_, "labels") and type_ not in LABELLED)
    }
    assert forgotten == set()
