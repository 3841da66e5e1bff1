"""Pools: which group each rung becomes, from which capacity, and how its size is the knob."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from relight.topology.graph import Graph
from rig.aws_sites import BLOCK, IMAGE, RESERVED, a_pool, an_aws_estate, declare, sized

GROUP, NODE_GROUP = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
RUNGS = [
    {"kind": "reservation", "id": RESERVED, "nodes": 4},
    {
        "kind": "capacity-block",
        "id": BLOCK,
        "nodes": 6,
        "starts": "2026-12-01T11:30:00Z",
        "ends": "2026-12-08T11:30:00Z",
    },
    {"kind": "on-demand", "nodes": 8},
    {"kind": "spot", "nodes": 2},
]


def a_graph(pool: dict[str, Any], nodes: int = 0, **site: Any) -> Graph:
    estate = an_aws_estate(west={"pools": {"train": pool}} | site)
    return declare(estate, "west", sized(estate, "west", nodes))


@pytest.fixture(scope="module")
def cluster() -> Graph:
    return a_graph(a_pool(rungs=RUNGS), nodes=2)


@pytest.fixture(scope="module")
def machines() -> Graph:
    return a_graph(a_pool(rungs=RUNGS, form="instances", image=IMAGE, warm=3), nodes=1)


@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_a_rung_is_one_node_group_from_none_to_all_that_it_gives(nodes: int) -> None:
    graph = a_graph(a_pool(rungs=RUNGS), nodes)
    assert {group.name: group.inputs["scalingConfig"] for group in graph.of(NODE_GROUP)} == {
        f"train-{rung['kind']}": {"minSize": 0, "maxSize": rung["nodes"], "desiredSize": nodes}
        for rung in RUNGS
    }
    assert not graph.of(GROUP)


def test_turning_the_knob_changes_one_number_and_nothing_else(cluster: Graph) -> None:
    estate = an_aws_estate(west={"pools": {"train": a_pool(rungs=RUNGS)}})
    sizes = sized(estate, "west", 2)
    sizes["train"]["on-demand"] = 7
    after = declare(estate, "west", sizes)
    changed = [
        (one.address, other)
        for one, other in zip(cluster.resources, after.resources, strict=True)
        if (one.inputs, one.options) != (other.inputs, other.options)
    ]
    assert [address for address, _ in changed] == [f"{NODE_GROUP}::train-on-demand"]
    assert changed[0][1].inputs["scalingConfig"]["desiredSize"] == 7


def test_nothing_ignores_changes(cluster: Graph, machines: Graph) -> None:
    assert not [
        each for graph in (cluster, machines) for each in graph.resources if "ignore_changes" in each.options
    ]


def test_the_knob_is_exported_with_urn_resource_and_name(cluster: Graph) -> None:
    group = cluster.one(NODE_GROUP, "train-spot")
    assert cluster.outputs["pools"]["train"]["spot"] == {
        "urn": group.urn,
        "resource": NODE_GROUP,
        "id": "train-spot",
        "nodes": 2,
    }


@pytest.mark.parametrize(
    ("rung", "kind"),
    [
        ("reservation", "ON_DEMAND"),
        ("capacity-block", "CAPACITY_BLOCK"),
        ("on-demand", "ON_DEMAND"),
        ("spot", "SPOT"),
    ],
)
def test_a_node_group_says_where_its_capacity_comes_from(cluster: Graph, rung: str, kind: str) -> None:
    assert cluster.one(NODE_GROUP, f"train-{rung}").inputs["capacityType"] == kind


def test_reserved_capacity_is_named_and_no_other_rung_may_take_it(cluster: Graph) -> None:
    asked = {
        name: cluster.one(TEMPLATE, f"train-{name}").inputs.get("capacityReservationSpecification")
        for name in ("reservation", "capacity-block", "on-demand", "spot")
    }
    assert asked["reservation"] == {"capacityReservationTarget": {"capacityReservationId": RESERVED}}
    assert asked["capacity-block"] == {"capacityReservationTarget": {"capacityReservationId": BLOCK}}
    assert asked["on-demand"] == {"capacityReservationPreference": "none"}
    assert asked["spot"] is None


def test_a_template_for_a_cluster_has_nothing_that_eks_forbids(cluster: Graph) -> None:
    for template in cluster.of(TEMPLATE):
        assert "iamInstanceProfile" not in template.inputs
        assert not any("subnetId" in each for each in template.inputs["networkInterfaces"])
        assert template.inputs["instanceType"] == "p5.48xlarge"
        market = template.inputs.get("instanceMarketOptions")
        assert market == ({"marketType": "capacity-block"} if "block" in template.name else None)
    assert not any("instanceTypes" in group.inputs for group in cluster.of(NODE_GROUP))


def test_on_demand_and_spot_share_a_placement_group_and_what_is_reserved_is_placed_already(
    cluster: Graph,
) -> None:
    assert cluster.one("aws:ec2/placementGroup:PlacementGroup").inputs["strategy"] == "cluster"
    placed = {
        template.name for template in cluster.of(TEMPLATE) if template.inputs.get("placement") is not None
    }
    assert placed == {"train-on-demand", "train-spot"}


def test_a_reservation_in_a_placement_group_is_used_there() -> None:
    rungs = [{"kind": "reservation", "id": RESERVED, "nodes": 8, "placement_group": "near"}]
    graph = a_graph(a_pool(rungs=rungs))
    assert graph.one(TEMPLATE).inputs["placement"] == {"groupName": "near"}
    assert not graph.of("aws:ec2/placementGroup:PlacementGroup")


def test_a_machine_without_a_fabric_is_placed_anywhere_in_its_zone() -> None:
    graph = a_graph(a_pool(machine="g6.xlarge"))
    assert not graph.of("aws:ec2/placementGroup:PlacementGroup")


def test_all_of_a_pool_stands_in_one_subnet_of_its_zone(cluster: Graph, machines: Graph) -> None:
    assert {tuple(group.inputs["subnetIds"]) for group in cluster.of(NODE_GROUP)} == {
        ("private-us-west-2a-id",)
    }
    assert {tuple(group.inputs["vpcZoneIdentifiers"]) for group in machines.of(GROUP)} == {
        ("private-us-west-2a-id",)
    }
    elsewhere = a_graph(a_pool(zone="us-west-2c"))
    assert {tuple(group.inputs["subnetIds"]) for group in elsewhere.of(NODE_GROUP)} == {
        ("private-us-west-2c-id",)
    }


def test_machines_are_auto_scaling_groups_and_bring_no_cluster(machines: Graph) -> None:
    assert {
        group.name: (group.inputs["minSize"], group.inputs["desiredCapacity"], group.inputs["maxSize"])
        for group in machines.of(GROUP)
    } == {f"train-{rung['kind']}": (0, 1, rung["nodes"]) for rung in RUNGS}
    assert not machines.of("aws:eks/cluster:Cluster")
    assert not machines.of(NODE_GROUP)
    assert machines.outputs["pools"]["train"]["spot"]["id"] == "rig-west-train-spot"


def test_only_the_first_rung_that_can_keeps_machines_warm_beyond_its_quiet_size(machines: Graph) -> None:
    warm = {group.name: group.inputs.get("warmPool") for group in machines.of(GROUP)}
    assert {name for name, pool in warm.items() if pool} == {"train-reservation"}
    # 20 % of 8 nodes run quietly, 2; 3 more are kept warm, and the reservation gives 4
    assert warm["train-reservation"] == {"poolState": "Stopped", "minSize": 0, "maxGroupPreparedCapacity": 4}


def test_a_spot_machine_is_asked_for_once(machines: Graph) -> None:
    assert machines.one(TEMPLATE, "train-spot").inputs["instanceMarketOptions"] == {
        "marketType": "spot",
        "spotOptions": {"spotInstanceType": "one-time"},
    }


def test_tags_find_the_nodes_of_a_rung_and_reach_the_machines(cluster: Graph, machines: Graph) -> None:
    wanted = {
        "relight:estate": "rig",
        "relight:site": "west",
        "relight:owner": "oncall",
        "relight:class": "compute",
        "relight:pool": "train",
        "relight:rung": "on-demand",
    }
    assert wanted.items() <= cluster.one(NODE_GROUP, "train-on-demand").inputs["tags"].items()
    for tags in cluster.one(TEMPLATE, "train-on-demand").inputs["tagSpecifications"]:
        assert wanted.items() <= tags["tags"].items()
    group = machines.one(GROUP, "train-on-demand").inputs["tags"]
    assert wanted.items() <= {tag["key"]: tag["value"] for tag in group}.items()
    assert all(tag["propagateAtLaunch"] for tag in group)


def test_disks_are_sealed_and_the_image_says_which_is_the_root(cluster: Graph, machines: Graph) -> None:
    (disk,) = cluster.one(TEMPLATE, "train-spot").inputs["blockDeviceMappings"]
    assert disk["deviceName"] == "/dev/xvda"
    assert disk["ebs"]["encrypted"] == "true"
    assert disk["ebs"]["kmsKeyId"]
    (disk,) = machines.one(TEMPLATE, "train-spot").inputs["blockDeviceMappings"]
    assert disk["deviceName"] == "/dev/sda1"


def test_metadata_is_read_with_a_token_and_not_from_pods(cluster: Graph) -> None:
    assert cluster.one(TEMPLATE, "train-spot").inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_a_node_of_an_own_image_is_told_how_to_join() -> None:
    graph = a_graph(a_pool(image=IMAGE))
    told = b64decode(graph.one(TEMPLATE, "train-on-demand").inputs["userData"]).decode()
    assert "Content-Type: application/node.eks.aws" in told
    assert "name: rig-west" in told
    assert "cidr: 172.20.0.0/16" in told
    group = graph.one(NODE_GROUP, "train-on-demand").inputs
    assert "amiType" not in group
    assert "version" not in group


def test_nodes_wait_for_their_way_out_and_the_rules_of_their_fabric(cluster: Graph, machines: Graph) -> None:
    for group in (cluster.one(NODE_GROUP, "train-spot"), machines.one(GROUP, "train-spot")):
        assert "aws:ec2/route:Route::private-us-west-2a-out" in group.depends_on
        assert "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule::nodes-itself-out" in group.depends_on


def test_an_adopted_node_group_is_sized_and_never_declared() -> None:
    adopt = {"cluster": "theirs", "node_groups": {"train": "their-gpus"}}
    pool = a_pool(rungs=[{"kind": "on-demand", "nodes": 8}])
    graph = a_graph(pool, nodes=5, adopt=adopt)
    assert not graph.of(NODE_GROUP)
    assert not graph.of(TEMPLATE)
    assert graph.outputs["pools"] == {
        "train": {"on-demand": {"resource": NODE_GROUP, "id": "their-gpus", "nodes": 5, "adopted": True}}
    }
