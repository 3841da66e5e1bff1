"""Pools in Google Cloud: one resource for each rung, whose size alone follows the knob."""

from __future__ import annotations

from typing import Any

import pytest

from relight.provision.sizes import SIZES
from relight.topology.google.machines import boot_disk, gpu_name, has_rdma, is_compact, takes_fast_socket
from relight.topology.graph import Graph, Resource
from rig.google_sites import FLEX, MACHINES, RESERVED, TRAIN, a_google_estate, graph_of

NODE_POOL = "gcp:container/nodePool:NodePool"
GROUP = "gcp:compute/instanceGroupManager:InstanceGroupManager"
TEMPLATE = "gcp:compute/instanceTemplate:InstanceTemplate"


def cluster_graph(nodes: int = 3, **pool: Any) -> Graph:
    return graph_of(a_google_estate({"pools": {"train": TRAIN | pool}}), nodes)


def machines_graph(nodes: int = 3, **pool: Any) -> Graph:
    return graph_of(a_google_estate({"pools": {"train": MACHINES | pool}}), nodes)


@pytest.fixture(scope="module")
def pools() -> dict[str, Resource]:
    return {pool.name: pool for pool in cluster_graph().of(NODE_POOL)}


@pytest.fixture(scope="module")
def templates() -> dict[str, Resource]:
    return {template.name: template for template in machines_graph().of(TEMPLATE)}


@pytest.mark.parametrize("graph", [cluster_graph, machines_graph])
def test_turning_the_knob_changes_sizes_and_nothing_else(graph: Any) -> None:
    before, after = graph(0), graph(4)
    assert [each.urn for each in before.resources] == [each.urn for each in after.resources]
    for old, new in zip(before.resources, after.resources, strict=True):
        if old.inputs != new.inputs:
            assert set(changed(old.inputs, new.inputs)) <= SIZES[new.type]


def changed(old: Any, new: Any, path: str = "") -> list[str]:
    """The paths at which two inputs differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            found
            for key in sorted({*old, *new})
            for found in changed(old.get(key), new.get(key), f"{path}.{key}".strip("."))
        ]
    return [] if old == new else [path]


def test_the_output_names_each_rungs_resource_and_its_size() -> None:
    graph = cluster_graph(3)
    said = graph.outputs["pools"]["train"]
    assert set(said) == {"reservation", "on-demand", "spot", "flex-start"}
    for key, rung in said.items():
        pool = graph.one(NODE_POOL, f"train-{key}")
        assert rung == {"urn": pool.urn, "resource": NODE_POOL, "id": f"train-{key}-id", "nodes": 3}


def test_nothing_ignores_what_others_change() -> None:
    for graph in (cluster_graph(), machines_graph()):
        assert not [each for each in graph.resources if "ignore_changes" in each.options]


def test_a_rung_is_found_by_its_name_in_one_zone(pools: dict[str, Resource]) -> None:
    inputs = pools["train-spot"].inputs
    assert inputs["name"] == "train-spot"
    assert inputs["nodeLocations"] == ["us-east1-b"]
    assert inputs["nodeCount"] == 3
    other = cluster_graph(zone="us-east1-c").one(NODE_POOL, "train-spot")
    assert other.inputs["nodeLocations"] == ["us-east1-c"]


def test_a_reservation_is_taken_by_name_and_no_other_rung_takes_any(pools: dict[str, Resource]) -> None:
    affinity = {name: pool.inputs["nodeConfig"].get("reservationAffinity") for name, pool in pools.items()}
    assert affinity.pop("system") is None
    assert affinity.pop("train-reservation") == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["acme-h100"],
    }
    assert all(each == {"consumeReservationType": "NO_RESERVATION"} for each in affinity.values())


def test_only_the_spot_rung_is_spot_and_only_flex_start_waits(pools: dict[str, Resource]) -> None:
    assert [name for name, pool in pools.items() if pool.inputs["nodeConfig"].get("spot")] == ["train-spot"]
    flex = [name for name, pool in pools.items() if pool.inputs["nodeConfig"].get("flexStart")]
    assert flex == ["train-flex-start"]


def test_flex_start_is_the_only_rung_that_gke_sizes_up_to_the_knob(pools: dict[str, Resource]) -> None:
    inputs = pools["train-flex-start"].inputs
    assert inputs["autoscaling"] == {"totalMinNodeCount": 0, "totalMaxNodeCount": 3, "locationPolicy": "ANY"}
    assert "nodeCount" not in inputs
    assert inputs["nodeConfig"]["maxRunDuration"] == "604800s"
    assert not inputs["management"]["autoRepair"]
    fixed = {name for name, pool in pools.items() if "autoscaling" not in pool.inputs}
    assert fixed == {"train-reservation", "train-on-demand", "train-spot"}


def test_an_upgrade_asks_for_no_gpu_that_is_not_there(pools: dict[str, Resource]) -> None:
    settings = pools["train-reservation"].inputs["upgradeSettings"]
    assert settings == {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}


def test_how_flex_start_is_upgraded_is_not_said_as_the_provider_refuses_the_word(
    pools: dict[str, Resource],
) -> None:
    assert "upgradeSettings" not in pools["train-flex-start"].inputs


def test_nodes_of_on_demand_stand_close_together(pools: dict[str, Resource]) -> None:
    close = {name for name, pool in pools.items() if "placementPolicy" in pool.inputs}
    assert close == {"train-on-demand"}
    slow = cluster_graph(machine="g2-standard-48", rungs=[FLEX | {"kind": "on-demand"}])
    assert "placementPolicy" not in slow.one(NODE_POOL, "train-on-demand").inputs


def test_nodes_have_their_gpus_with_a_driver_and_their_scratch_disks(pools: dict[str, Resource]) -> None:
    node = pools["train-reservation"].inputs["nodeConfig"]
    assert node["guestAccelerators"] == [
        {
            "type": "nvidia-h100-80gb",
            "count": 8,
            "gpuDriverInstallationConfig": {"gpuDriverVersion": "LATEST"},
        }
    ]
    assert node["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 16}
    assert node["gvnic"] == {"enabled": True}
    assert node["bootDiskKmsKey"] == "key-id"
    assert node["diskType"] == "pd-balanced"


def test_machines_with_rdma_get_its_networks_and_hyperdisk() -> None:
    graph = cluster_graph(machine="a3-ultragpu-8g", rungs=[RESERVED])
    inputs = graph.one(NODE_POOL, "train-reservation").inputs
    assert inputs["networkConfig"]["acceleratorNetworkProfile"] == "auto"
    assert inputs["nodeConfig"]["diskType"] == "hyperdisk-balanced"
    assert graph.one("gcp:container/cluster:Cluster").inputs["enableMultiNetworking"]


def test_a_machine_that_nobody_knows_yet_is_made_as_far_as_it_is_declared() -> None:
    graph = cluster_graph(machine="a5-highgpu-8g", gpus_per_node=8, rungs=[FLEX])
    node = graph.one(NODE_POOL, "train-flex-start").inputs["nodeConfig"]
    assert node["machineType"] == "a5-highgpu-8g"
    assert "guestAccelerators" not in node
    assert "ephemeralStorageLocalSsdConfig" not in node


def test_groups_are_sized_by_the_knob_and_found_by_name() -> None:
    graph = machines_graph(2)
    group = graph.one(GROUP, "train-spot").inputs
    assert group["targetSize"] == 2
    assert group["name"] == "rig-south-train-spot"
    assert group["zone"] == "us-east1-b"
    assert not group["waitForInstances"]
    assert group["updatePolicy"]["type"] == "OPPORTUNISTIC"


def test_machines_of_spot_may_be_taken_back_and_are_then_made_anew(templates: dict[str, Resource]) -> None:
    spot = templates["train-spot"].inputs["scheduling"]
    assert spot["provisioningModel"] == "SPOT"
    assert spot["instanceTerminationAction"] == "DELETE"
    assert not spot["automaticRestart"]
    assert templates["train-on-demand"].inputs["scheduling"]["provisioningModel"] == "STANDARD"


def test_machines_have_one_private_address_and_a_sealed_disk(templates: dict[str, Resource]) -> None:
    inputs = templates["train-reservation"].inputs
    (card,) = inputs["networkInterfaces"]
    assert "accessConfigs" not in card
    assert card["nicType"] == "GVNIC"
    (disk,) = inputs["disks"]
    assert disk["diskEncryptionKey"] == {"kmsKeySelfLink": "key-id"}
    assert disk["sourceImage"] == "projects/acme-dr/global/images/gpu-2026-11"
    assert inputs["reservationAffinity"]["specificReservation"]["values"] == ["acme-h100"]


def test_only_machines_of_on_demand_are_placed(templates: dict[str, Resource]) -> None:
    placed = {name: each.inputs.get("resourcePolicies") for name, each in templates.items()}
    assert placed["train-on-demand"] == "train-close-id"
    assert placed["train-reservation"] is None
    assert placed["train-spot"] is None


@pytest.mark.parametrize(
    ("machine", "gpu", "disk", "rdma", "compact", "fast"),
    [
        ("a2-highgpu-8g", "nvidia-tesla-a100", "pd-balanced", False, False, True),
        ("a2-ultragpu-1g", "nvidia-a100-80gb", "pd-balanced", False, False, True),
        ("a3-highgpu-8g", "nvidia-h100-80gb", "pd-balanced", False, True, False),
        ("a3-megagpu-8g", "nvidia-h100-mega-80gb", "pd-balanced", False, True, False),
        ("a3-ultragpu-8g", "nvidia-h200-141gb", "hyperdisk-balanced", True, True, False),
        ("a4-highgpu-8g", "nvidia-b200", "hyperdisk-balanced", True, True, False),
        ("a4x-highgpu-4g", "nvidia-gb200", "hyperdisk-balanced", True, True, False),
        ("g2-standard-48", "nvidia-l4", "pd-balanced", False, False, False),
        ("a9-newgpu-8g", None, "pd-balanced", False, False, False),
    ],
)
def test_each_machine_gets_what_its_family_takes(
    machine: str, gpu: str | None, disk: str, rdma: bool, compact: bool, fast: bool
) -> None:
    assert gpu_name(machine) == gpu
    assert boot_disk(machine) == disk
    assert (has_rdma(machine), is_compact(machine), takes_fast_socket(machine)) == (rdma, compact, fast)
