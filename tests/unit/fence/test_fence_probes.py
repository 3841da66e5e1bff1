"""What vault and fence ask in a survey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from relight.errors import NotFound
from relight.estate import Estate
from relight.fence import Witness
from relight.fence.fake import FakeLookout, memory_witness
from relight.fence.port import Lookout
from relight.fence.probes import probes as fence_probes
from relight.situation import Authority
from relight.vault import Vault
from relight.vault.fake import memory_vault
from relight.vault.probes import probes as vault_probes
from rig.context import START
from rig.points import manifest_of, members_of

SITE: dict[str, Any] = {
    "kind": "sandbox",
    "agent": "http://127.0.0.1:1",
    "nodes": "n[1-2]",
    "data": "data",
    "probes": {"compute": "http://127.0.0.1:1/"},
}
STORE = {"kind": "s3", "bucket": "points", "endpoint": "http://127.0.0.1:1"}
ESTATE = Estate.model_validate(
    {
        "version": 1,
        "name": "small",
        "sites": {site: {**SITE, "store": site} for site in ("north", "south")},
        "topology": {"kind": "active-passive", "primary": "north", "standby": "south"},
        "stores": dict.fromkeys(("north", "south", "witness"), STORE),
        "witness": {"store": "witness"},
        "observers": {name: {"url": "http://127.0.0.1:1"} for name in ("east", "west")},
        "workloads": {
            "digits": {"kind": "training", "runs_on": "north", "writes": ["north", "south"]},
            "app": {"kind": "inference", "runs_on": "north"},
        },
    }
)


class World:
    def __init__(self) -> None:
        self.vaults = {name: memory_vault(name)[0] for name in ("north", "south")}
        self.observers = {name: FakeLookout(name, START) for name in ("east", "west")}
        self.the_witness = memory_witness()

    def vault(self, store: str) -> Vault:
        return self.vaults[store]

    def lookouts(self) -> Mapping[str, Lookout]:
        return self.observers

    def witness(self) -> Witness:
        return self.the_witness


def test_the_points_of_every_writer_are_asked_of_every_store_it_writes_to() -> None:
    world = World()
    members = members_of(10)
    point = world.vaults["south"].seal(manifest_of(members, step=10), members)
    answers = {probe.path: probe.ask() for probe in vault_probes(ESTATE, world)}
    assert answers == {
        ("workloads", "digits", "points", "north"): (),
        ("workloads", "digits", "points", "south"): (point,),
    }


def test_the_authority_of_writers_and_every_observers_view_of_every_site_are_asked() -> None:
    world = World()
    authority = Authority(workload="digits", epoch=1, active="north", changed_by="init", changed_at=START)
    world.the_witness.declare(authority)
    world.observers["east"].see("north", up=True)
    answers = {probe.path: probe.ask() for probe in fence_probes(ESTATE, world)}
    assert answers.pop(("workloads", "digits", "authority")) == authority
    assert set(answers) == {
        ("sites", site, "opinions", observer) for site in ("north", "south") for observer in ("east", "west")
    }
    assert answers["sites", "north", "opinions", "east"] == world.observers["east"].opinions("north")
    assert answers["sites", "south", "opinions", "west"] == ()


def test_an_authority_that_nobody_declared_is_unknown_for_that_reason() -> None:
    probe = next(iter(fence_probes(ESTATE, World())))
    with pytest.raises(NotFound, match="no authority of digits"):
        probe.ask()
