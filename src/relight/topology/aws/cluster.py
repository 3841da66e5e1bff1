"""The managed Kubernetes of a site.

Billed while asleep: the control plane by the hour, its logs by the byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.estate import AwsSite
from relight.topology.aws.places import Place, place_of
from relight.topology.frame import Frame

LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
LOG_DAYS = 90
ADDONS = ("eks-pod-identity-agent", "kube-proxy", "vpc-cni")
NAMESPACE, SERVICE_ACCOUNT = "relight", "relight-workload"


@dataclass(frozen=True)
class ClusterArgs:
    """What the cluster stands on; the roles are None where an adopted cluster has its own."""

    frame: Frame
    site: AwsSite
    subnets: list[pulumi.Input[str]]
    guard: pulumi.Input[str]
    key: pulumi.Input[str]
    control: pulumi.Input[str] | None
    workload: pulumi.Input[str] | None
    runner: pulumi.Input[str]
    attached: list[pulumi.Resource]


class Cluster(pulumi.ComponentResource):
    """An EKS cluster without a public endpoint, or the adopted one, which is only looked up.

    `name`, `guard` (its own security group), `endpoint`, `authority` and `services` (a network) are what
    nodes need to join; `ready` is what they wait for. Only add-ons that run on every node are declared:
    those with pods of their own (CoreDNS, CSI drivers) would keep an update waiting while there is no node;
    CoreDNS comes with the cluster. Device plugins for GPUs and EFA are Kubernetes objects, and come with
    the workloads.
    """

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Cluster", name, None, opts)
        self._args = args
        self.ready: list[pulumi.Resource] = []
        adopted = args.site.adopt.cluster
        cluster = (
            aws.eks.Cluster.get(name, adopted, opts=pulumi.ResourceOptions(parent=self))
            if adopted
            else self._make(name)
        )
        self.name: pulumi.Output[str] = pulumi.Output.from_input(adopted) if adopted else cluster.name
        self.guard: pulumi.Output[str] = cluster.vpc_config.cluster_security_group_id
        self.endpoint: pulumi.Output[str] = cluster.endpoint
        self.authority: pulumi.Output[str] = cluster.certificate_authority.data
        self.services: pulumi.Output[str] = cluster.kubernetes_network_config.service_ipv4_cidr
        if not adopted:
            self._fill(place_of(args.site))
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _make(self, name: str) -> aws.eks.Cluster:
        args, full = self._args, self._args.frame.name()
        own = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(  # before the cluster, which would make one without key and end
            "cluster-logs",
            name=f"/aws/eks/{full}/cluster",
            retention_in_days=LOG_DAYS,
            kms_key_id=args.key,
            tags=args.frame.tags("compute", full),
            opts=own,
        )
        cluster = aws.eks.Cluster(
            name,
            name=full,
            role_arn=args.control,
            version=args.site.kubernetes,
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=args.subnets,
                security_group_ids=[args.guard],
                endpoint_private_access=True,
                endpoint_public_access=False,
            ),
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=args.key), resources=["secrets"]
            ),
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=True
            ),
            enabled_cluster_log_types=list(LOGS),
            deletion_protection=True,
            tags=args.frame.tags("compute", full),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs, *args.attached]),
        )
        self.ready.append(cluster)
        return cluster

    def _fill(self, place: Place) -> None:
        args, own = self._args, pulumi.ResourceOptions(parent=self)
        tags = args.frame.tags("compute")
        for addon in ADDONS:
            made = aws.eks.Addon(
                addon,
                addon_name=addon,
                cluster_name=self.name,
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                tags=tags,
                opts=own,
            )
            self.ready.append(made)
        aws.eks.AccessEntry(
            "runner", cluster_name=self.name, principal_arn=args.runner, type="STANDARD", tags=tags, opts=own
        )
        aws.eks.AccessPolicyAssociation(
            "runner",
            cluster_name=self.name,
            principal_arn=args.runner,
            policy_arn=f"arn:{place.partition}:eks::aws:cluster-access-policy/AmazonEKSEditPolicy",
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(
                type="namespace", namespaces=[NAMESPACE]
            ),
            opts=own,
        )
        aws.eks.PodIdentityAssociation(
            "workload",
            cluster_name=self.name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=args.workload,
            tags=tags,
            opts=own,
        )
