"""Pools of nodes in the site's cluster: a node pool for each rung, whose size is the knob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from relight.estate import CloudPool, GoogleSite, Rung
from relight.topology.frame import Frame
from relight.topology.google.machines import (
    boot_disk,
    gpu_name,
    has_rdma,
    is_compact,
    scratch_disks,
    takes_fast_socket,
)

NODE_POOL = "gcp:container/nodePool:NodePool"
_LONGEST_RUN_SECONDS = 7 * 86_400  # the most that flex-start gives
_RESERVATION_NAME = "compute.googleapis.com/reservation-name"


@dataclass(frozen=True)
class PoolArgs:
    """One pool of a site, how large each of its rungs is to be, and what its nodes stand on."""

    frame: Frame
    site: GoogleSite
    pool: str
    sizes: dict[str, int]
    cluster: pulumi.Input[str]  # its path
    key: pulumi.Input[str]
    nodes: pulumi.Input[str]  # e-mail of the nodes' service account
    working: bool = False  # what runs there carries work: no update may delete or replace its groups

    @property
    def declared(self) -> CloudPool:
        """The pool as the estate has it."""
        return self.site.pools[self.pool]

    @property
    def zone(self) -> str:
        """Where all of it stands."""
        return self.declared.zone or self.site.zones[0]


class NodePools(pulumi.ComponentResource):
    """A node pool for each rung of a pool, all in one zone; `sized` is the stack's output for the pool.

    Reservation: exactly the one that is named. On-demand and spot take from no reservation, so that a rung
    never eats another's. On-demand nodes of machines with GPU NICs stand close together (compact
    placement); those of a reservation stand where it was made. No node is added for an upgrade: there are
    no spare GPUs for one.

    Pools that carry work are protected: an update from an old checkout that would delete or replace one
    fails before it does.

    Flex-start is the one rung that GKE sizes itself, up to the knob: nodes come for pods that wait for
    them, run seven days at most and go again. At 0 GKE still allows one, as its least; asleep no pod asks
    for it.

    What the network between nodes does: A3 Ultra, A4 and A4X get their RDMA networks laid by GKE. A2 gets
    NCCL Fast Socket. On A3 High and Mega the GPUs' own NICs stay unused: they want four to eight VPCs of
    their own, which no stack makes here; adopt a node pool that has them.

    Billed while asleep: nothing; but a reservation costs its full price, used or not.
    """

    def __init__(self, name: str, args: PoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:NodePools", name, None, opts)
        self._args = args
        self.sized = {rung.key: self._rung(rung) for rung in args.declared.rungs}
        self.register_outputs({"sized": self.sized})

    def _rung(self, rung: Rung) -> dict[str, Any]:
        args, nodes = self._args, self._args.sizes[rung.key]
        logical = f"{args.pool}-{rung.key}"
        is_flex = rung.kind == "flex-start"
        pool = gcp.container.NodePool(
            logical,
            name=logical,  # the knob finds it by that, with no state at hand
            cluster=args.cluster,
            location=args.site.region,
            node_locations=[args.zone],
            node_count=None if is_flex else nodes,
            initial_node_count=0 if is_flex else None,
            autoscaling=_up_to(nodes) if is_flex else None,
            management=gcp.container.NodePoolManagementArgs(auto_repair=not is_flex, auto_upgrade=True),
            # GKE chooses how flex-start nodes are upgraded (short-lived); the provider has no word for it.
            upgrade_settings=None
            if is_flex
            else gcp.container.NodePoolUpgradeSettingsArgs(strategy="SURGE", max_surge=0, max_unavailable=1),
            placement_policy=gcp.container.NodePoolPlacementPolicyArgs(type="COMPACT")
            if rung.kind == "on-demand" and is_compact(args.declared.machine)
            else None,
            network_config=gcp.container.NodePoolNetworkConfigArgs(
                enable_private_nodes=True,
                accelerator_network_profile="auto" if has_rdma(args.declared.machine) else None,
            ),
            node_config=self._node(rung),
            opts=pulumi.ResourceOptions(parent=self, protect=args.working and nodes > 0),
        )
        return {"urn": pool.urn, "resource": NODE_POOL, "id": pool.id, "nodes": nodes}

    def _node(self, rung: Rung) -> gcp.container.NodePoolNodeConfigArgs:
        container, args, machine = gcp.container, self._args, self._args.declared.machine
        scratch = scratch_disks(machine)
        return container.NodePoolNodeConfigArgs(
            machine_type=machine,
            disk_size_gb=args.declared.disk_gib,
            disk_type=boot_disk(machine),
            boot_disk_kms_key=args.key,
            image_type="COS_CONTAINERD",
            service_account=args.nodes,
            oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
            guest_accelerators=_gpus(args.declared),
            ephemeral_storage_local_ssd_config=container.NodePoolNodeConfigEphemeralStorageLocalSsdConfigArgs(
                local_ssd_count=scratch
            )
            if scratch
            else None,
            gvnic=container.NodePoolNodeConfigGvnicArgs(enabled=True),
            fast_socket=container.NodePoolNodeConfigFastSocketArgs(enabled=True)
            if takes_fast_socket(machine)
            else None,
            reservation_affinity=_affinity(rung),
            spot=True if rung.kind == "spot" else None,
            flex_start=True if rung.kind == "flex-start" else None,
            max_run_duration=f"{_LONGEST_RUN_SECONDS}s" if rung.kind == "flex-start" else None,
            shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
                mode="GKE_METADATA"
            ),
            labels={"relight.dev/pool": args.pool, "relight.dev/rung": rung.key},
            resource_labels=args.frame.labels("compute"),
        )


def adopted(site: GoogleSite, pool: str, sizes: dict[str, int], cluster: str) -> dict[str, dict[str, Any]]:
    """The output of a pool whose node pool is adopted: it stands for the first rung, and no stack has it.

    There is no URN: the knob turns it through the cloud's own API.
    """
    rung = site.pools[pool].rungs[0].key
    path = f"{cluster}/nodePools/{site.adopt.node_pools[pool]}"
    return {rung: {"resource": NODE_POOL, "id": path, "nodes": sizes[rung], "adopted": True}}


def _up_to(nodes: int) -> gcp.container.NodePoolAutoscalingArgs:
    return gcp.container.NodePoolAutoscalingArgs(
        total_min_node_count=0, total_max_node_count=max(1, nodes), location_policy="ANY"
    )


def _affinity(rung: Rung) -> gcp.container.NodePoolNodeConfigReservationAffinityArgs:
    if rung.kind == "reservation":
        return gcp.container.NodePoolNodeConfigReservationAffinityArgs(
            consume_reservation_type="SPECIFIC_RESERVATION", key=_RESERVATION_NAME, values=[rung.id]
        )
    return gcp.container.NodePoolNodeConfigReservationAffinityArgs(consume_reservation_type="NO_RESERVATION")


def _gpus(pool: CloudPool) -> list[gcp.container.NodePoolNodeConfigGuestAcceleratorArgs] | None:
    """GPUs with a driver that GKE installs; None where nobody knows what the GPUs are called."""
    called = gpu_name(pool.machine)
    if called is None:
        return None
    driver = gcp.container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
        gpu_driver_version="LATEST"
    )
    return [
        gcp.container.NodePoolNodeConfigGuestAcceleratorArgs(
            type=called, count=pool.gpus_each, gpu_driver_installation_config=driver
        )
    ]
