"""What a standby is, and what of it costs money while it sleeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relight.topology.billing import billing_of
from relight.topology.graph import Graph, Resource
from relight.topology.picture import draw_mermaid, draw_tree, list_rows
from rig.goldens import STACKS

SITE = "relight:aws:Site::south"


def resource(type_: str, name: str, parent: str = SITE, **inputs: Any) -> Resource:
    return Resource(type=type_, name=name, urn="", inputs=inputs, parent=parent)


PILOT_LIGHT = Graph(
    project="relight",
    stack="south",
    outputs={},
    resources=(
        Resource(type="relight:aws:Site", name="south", urn="", inputs={}, component=True),
        resource("aws:autoscaling/group:Group", "south-gpu", minSize=0, desiredCapacity=0),
        resource("aws:ec2/natGateway:NatGateway", "south-nat"),
        Resource(
            type="aws:ec2/subnet:Subnet",
            name="south-a",
            urn="",
            inputs={},
            parent=SITE,
            depends_on=("aws:ec2/vpc:Vpc::south-net",),
        ),
        resource("aws:ec2/vpc:Vpc", "south-net"),
        resource("pulumi:providers:aws", "south-aws"),
    ),
)


def test_what_is_billed_while_asleep_comes_first() -> None:
    rows = list_rows(PILOT_LIGHT)
    assert [(row.name, row.asleep) for row in rows] == [
        ("south-nat", True),
        ("south-gpu", False),
        ("south-a", False),
        ("south-net", False),
    ]
    assert rows[0].to_dict() == {
        "name": "south-nat",
        "kind": "aws ec2 NatGateway",
        "within": "south",
        "billed": "by the hour",
        "billed_while_asleep": True,
        "note": "the gateway; and each gigabyte through it",
    }


def test_the_tree_shows_who_belongs_to_whom() -> None:
    assert draw_tree(PILOT_LIGHT) == (
        "south\n"
        "└─ south  Site\n"
        "   ├─ south-gpu  aws autoscaling Group\n"
        "   ├─ south-nat  aws ec2 NatGateway *\n"
        "   ├─ south-a  aws ec2 Subnet\n"
        "   ├─ south-net  aws ec2 Vpc\n"
        "   └─ south-aws  aws provider\n"
    )


def test_the_mermaid_graph_draws_children_and_dependencies() -> None:
    drawn = draw_mermaid(PILOT_LIGHT)
    assert drawn.startswith("flowchart LR\n")
    assert "  stack --> r0\n" in drawn
    assert "  r0 --> r2\n" in drawn
    assert "  r3 -.-> r4\n" in drawn
    assert "  class r2 asleep\n" in drawn


@pytest.mark.parametrize(
    ("type_", "inputs", "asleep"),
    [
        ("aws:autoscaling/group:Group", {"minSize": 0, "desiredCapacity": 0}, False),
        ("aws:autoscaling/group:Group", {"minSize": 0, "desiredCapacity": 2}, True),
        ("aws:autoscaling/group:Group", {"minSize": 0, "warmPool": {"minSize": 2}}, True),
        ("aws:eks/nodeGroup:NodeGroup", {"scalingConfig": {"desiredSize": 0, "maxSize": 4}}, False),
        ("aws:eks/nodeGroup:NodeGroup", {"scalingConfig": {"desiredSize": 1, "maxSize": 4}}, True),
        ("aws:eks/cluster:Cluster", {}, True),
        ("aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "Gateway"}, False),
        ("aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "Interface"}, True),
        ("aws:ec2/capacityReservation:CapacityReservation", {"instanceCount": 4}, True),
        ("gcp:container/nodePool:NodePool", {"nodeCount": 0}, False),
        ("gcp:container/nodePool:NodePool", {"autoscaling": {"minNodeCount": 1}}, True),
        ("gcp:compute/instanceGroupManager:InstanceGroupManager", {"targetSize": 0}, False),
        ("gcp:compute/address:Address", {"addressType": "INTERNAL"}, False),
        ("kubernetes:apps/v1:Deployment", {"spec": {"replicas": 0}}, False),
    ],
)
def test_a_size_of_nothing_costs_nothing_and_what_stands_costs(
    type_: str, inputs: Mapping[str, Any], asleep: bool
) -> None:
    billing = billing_of(type_, inputs)
    assert billing is not None
    assert billing.asleep is asleep


def test_a_type_without_a_row_is_shown_as_unknown() -> None:
    graph = Graph("relight", "south", (resource("aws:braket/quantumTask:QuantumTask", "odd", ""),), {})
    assert list_rows(graph)[0].billed == "unknown"


@pytest.mark.parametrize("golden", sorted(STACKS.glob("*.json")), ids=lambda path: path.stem)
def test_every_type_of_every_stack_says_how_it_is_billed(golden: Path) -> None:
    declared = json.loads(golden.read_text(encoding="utf-8")).get("resources", [])
    unlisted = {
        each["type"]
        for each in declared
        if not each.get("component") and billing_of(each["type"], each.get("inputs", {})) is None
    }
    assert unlisted == set(), "add rows to relight.topology.billing"
