"""Whatever a topology makes can be looked up after a cut-off update: read from the goldens of all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from relight.errors import NotFound
from relight.provision import Finder, PendingCreate
from relight.provision.adapters.aws import AwsClients, AwsFinder
from relight.provision.adapters.google import GoogleClients, GoogleFinder
from relight.provision.adapters.kubernetes import ClusterAccess, ClusterFinder

GOLDENS = Path(__file__).parents[3] / "cases" / "stacks"
# The engine imports none of these: a person looks.
BY_HAND = {"aws:ec2/vpnConnectionRoute:VpnConnectionRoute"}


class EmptyCloud:
    """Whatever is asked of it, there is nothing."""

    account = "111122223333"

    def call(self, *_: object, **__: object) -> Mapping[str, Any]:
        return defaultdict(list)

    def every(self, *_: object, **__: object) -> list[Any]:
        return []

    def get(self, *_: object, **__: object) -> Mapping[str, Any]:
        raise NotFound("there is nothing")


FINDERS: Mapping[str, Finder] = {
    "aws": AwsFinder(cast("AwsClients", EmptyCloud())),
    "gcp": GoogleFinder("acme-dr", "europe-west4", cast("GoogleClients", EmptyCloud())),
    "kubernetes": ClusterFinder(cast("ClusterAccess", EmptyCloud())),
}


@cache
def creates() -> dict[str, PendingCreate]:
    """One of each type and shape of inputs that any golden has; what is only read is not created."""
    found: dict[str, PendingCreate] = {}
    for path in sorted(GOLDENS.glob("*.json")):
        for resource in json.loads(path.read_text()).get("resources", ()):
            type_, inputs = resource["type"], resource.get("inputs", {})
            if type_.partition(":")[0] in FINDERS and inputs and "looked_up" not in resource:
                key = f"{type_} {' '.join(sorted(inputs))}"
                found[key] = PendingCreate(
                    urn=key,
                    type=type_,
                    name=resource["name"],
                    inputs=inputs,
                    begun_at=datetime(2026, 11, 1, tzinfo=UTC),
                )
    return found


@pytest.mark.parametrize("key", creates())
def test_whatever_a_topology_makes_can_be_looked_up(key: str) -> None:
    create = creates()[key]
    if create.type not in BY_HAND:
        FINDERS[create.type.partition(":")[0]].find(create)  # raises where it cannot be told from its like
