"""The cluster of a site: GKE, private, in the whole region, so that one zone may die under it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import GoogleSite, ManagedLustre
from relight.topology.frame import Frame
from relight.topology.google.network import PODS, SERVICES
from relight.topology.google.places import cluster_name, linked_networks

_SYSTEM_MACHINE = "e2-standard-4"
_SYSTEM_DISK_GIB = 100
_MOST_SYSTEM_NODES = 3


@dataclass(frozen=True)
class ClusterArgs:
    """What the cluster stands on."""

    frame: Frame
    site: GoogleSite
    network: pulumi.Input[str]
    subnetwork: pulumi.Input[str]
    key: pulumi.Input[str]
    nodes: pulumi.Input[str]  # e-mail of the service account of its nodes


class Cluster(pulumi.ComponentResource):
    """A regional GKE cluster with a few system nodes; GPU nodes are pools of their own.

    Its control plane has a private address only, which the site's own networks and linked ones may call,
    from any region. Pods have network policies (Dataplane V2) and act as service accounts (workload
    identity). Secrets are encrypted with the site's key. Node pools that need more networks can come later:
    multi-networking is on.

    Billed while asleep: the management fee, and one to three system nodes (e2-standard-4), on which DNS and
    the like of the cluster itself run: without them a woken site would have no cluster that works.
    """

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Cluster", name, None, opts)
        self._args = args
        self.cluster = self._make_cluster()
        self._make_system_nodes()
        self.register_outputs({"cluster": self.cluster.name})

    def _make_cluster(self) -> gcp.container.Cluster:
        args, site = self._args, self._args.site
        return gcp.container.Cluster(
            "cluster",
            name=cluster_name(args.frame, site),
            location=site.region,
            node_locations=list(site.zones),
            network=args.network,
            subnetwork=args.subnetwork,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy=gcp.container.ClusterIpAllocationPolicyArgs(
                cluster_secondary_range_name=PODS, services_secondary_range_name=SERVICES
            ),
            private_cluster_config=self._private(),
            master_authorized_networks_config=self._who_may_call(),
            release_channel=gcp.container.ClusterReleaseChannelArgs(channel="REGULAR"),
            remove_default_node_pool=True,
            initial_node_count=1,  # of the pool that is removed at once
            workload_identity_config=gcp.container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=f"{site.project}.svc.id.goog"
            ),
            database_encryption=gcp.container.ClusterDatabaseEncryptionArgs(
                state="ENCRYPTED", key_name=args.key
            ),
            datapath_provider="ADVANCED_DATAPATH",
            enable_multi_networking=True,
            enable_shielded_nodes=True,
            enable_legacy_abac=False,
            addons_config=self._addons(),
            resource_labels=args.frame.labels("compute"),
            deletion_protection=True,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def _private(self) -> gcp.container.ClusterPrivateClusterConfigArgs:
        return gcp.container.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=True,
            enable_private_endpoint=True,
            master_ipv4_cidr_block=self._args.site.control_plane,
            master_global_access_config=gcp.container.ClusterPrivateClusterConfigMasterGlobalAccessConfigArgs(
                enabled=True
            ),
        )

    def _who_may_call(self) -> gcp.container.ClusterMasterAuthorizedNetworksConfigArgs:
        site = self._args.site
        networks = dict.fromkeys((site.cidr, site.pods, *linked_networks(self._args.frame)))
        return gcp.container.ClusterMasterAuthorizedNetworksConfigArgs(
            gcp_public_cidrs_access_enabled=False,
            cidr_blocks=[
                gcp.container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=network)
                for network in networks
            ],
        )

    def _addons(self) -> gcp.container.ClusterAddonsConfigArgs:
        container, cache = gcp.container, self._args.site.cache
        is_lustre, is_filestore = isinstance(cache, ManagedLustre), cache is not None
        return container.ClusterAddonsConfigArgs(
            gcs_fuse_csi_driver_config=container.ClusterAddonsConfigGcsFuseCsiDriverConfigArgs(enabled=True),
            lustre_csi_driver_config=container.ClusterAddonsConfigLustreCsiDriverConfigArgs(enabled=True)
            if is_lustre
            else None,
            gcp_filestore_csi_driver_config=container.ClusterAddonsConfigGcpFilestoreCsiDriverConfigArgs(
                enabled=True
            )
            if is_filestore and not is_lustre
            else None,
        )

    def _make_system_nodes(self) -> None:
        container, args = gcp.container, self._args
        container.NodePool(
            "system",
            name="system",
            cluster=self.cluster.id,
            location=args.site.region,
            node_locations=list(args.site.zones),
            initial_node_count=1,  # for each zone; the autoscaler keeps what is needed
            autoscaling=container.NodePoolAutoscalingArgs(
                total_min_node_count=1,
                total_max_node_count=_MOST_SYSTEM_NODES,
                location_policy="BALANCED",
            ),
            management=container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
            network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
            node_config=container.NodePoolNodeConfigArgs(
                machine_type=_SYSTEM_MACHINE,
                disk_size_gb=_SYSTEM_DISK_GIB,
                disk_type="pd-balanced",
                boot_disk_kms_key=args.key,
                service_account=args.nodes,
                oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
                shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                    enable_secure_boot=True, enable_integrity_monitoring=True
                ),
                workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
                    mode="GKE_METADATA"
                ),
                resource_labels=args.frame.labels("compute"),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
