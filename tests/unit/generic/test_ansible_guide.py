"""What docs/guides/ansible.md shows works as it stands there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from relight.estate import Ssh, expand_nodes
from relight.generic import Ansible
from relight.generic.ansible_inventory import hosts_of
from relight.plan import Catalogue, Plan
from rig.estates import an_estate

GUIDE = (Path(__file__).parents[3] / "docs/guides/ansible.md").read_text()
CATALOGUE = Catalogue({"ansible": "relight.generic:Ansible"})


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_steps_of_the_guide_make_a_plan_that_survives_being_stored() -> None:
    shown: dict[str, Any] = {}
    exec(block("python"), shown)
    plan = Plan(
        runbook="guide",
        goal="guide",
        estate="guide",
        steps=(shown["look"], shown["mount"]),
        observed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    CATALOGUE.require(plan)
    assert CATALOGUE.decode(CATALOGUE.encode(plan)) == plan
    spec = plan.by_id["look-at-nodes"].spec
    assert isinstance(spec, Ansible)
    estate = an_estate()
    north = estate.sites["north"].model_copy(update={"nodes": "gpu[0001-0128]"})
    hosts = hosts_of(spec, estate.model_copy(update={"sites": {"north": north}}))
    assert (len(hosts), "gpu0013" in hosts) == (127, False)


def test_the_estate_of_the_guide_loads() -> None:
    site = yaml.safe_load(block("yaml"))["sites"]["north"]
    ssh = Ssh.model_validate(site["ssh"])
    assert ssh.address_of("gpu0007") == "10.0.1.7"
    assert ssh.address_of("gpu0128") == "10.0.9.7"
    assert len(expand_nodes(site["nodes"])) == 128
