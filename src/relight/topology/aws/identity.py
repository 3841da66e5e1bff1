"""Who may do what at a site: the runbooks' runner, the cluster, its nodes, machines and workloads.

Roles are made beforehand, in quiet times: becoming one needs the region's own STS only, not IAM's control
plane in its one region. Nothing of it is billed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.estate import AwsAccount, AwsSite, S3Store, fit_name
from relight.topology.aws.places import ROLE_NAME, Place, place_of
from relight.topology.aws.policies import (
    bucket_statements,
    document,
    sizing_statements,
    trust,
    use_declared_key,
    vault_statements,
)
from relight.topology.aws.vaults import key_of
from relight.topology.frame import Frame

NODE_POLICIES = ("AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy")


@dataclass(frozen=True)
class IdentityArgs:
    """`buckets` are ARNs of the site's vault, `keys` what seals it; the rest are what the runner may size."""

    frame: Frame
    site: AwsSite
    buckets: Sequence[str]
    keys: Sequence[pulumi.Input[str]]
    groups: Sequence[str]  # names of Auto Scaling groups
    node_groups: Sequence[str]  # names of those of EKS
    cluster: str  # name of the cluster that they are in
    control: bool  # whether the site makes a cluster
    nodes: bool  # whether it makes nodes of one
    machines: bool  # whether it makes machines outside of it


class Identity(pulumi.ComponentResource):
    """Roles by what they are for; attributes are ARNs, None where the site has no use for one.

    `runner` sets the size of exactly this site's groups, looks, and reads and writes its vault; it may be
    assumed from every account of the estate, so also when this is the only site left. `node` is adopted
    where the estate says so, and nothing is attached to it then. `profile` is the name of the machines'
    instance profile. `attached` is what nodes must wait for.
    """

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Identity", name, None, opts)
        self._args = args
        self._place = place_of(args.site)
        self.attached: list[pulumi.Resource] = []
        self.control: pulumi.Output[str] | None = None
        self.node: pulumi.Output[str] | None = None
        self.workload: pulumi.Output[str] | None = None
        self.profile: pulumi.Output[str] | None = None
        self.runner: pulumi.Output[str] = self._runner().arn
        if args.control:
            self._cluster_roles()
        if args.nodes:
            self._node_role()
        if args.machines:
            self._machine_profile()
        self.register_outputs({"runner": self.runner})

    def _here(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _role(self, what: str, description: str, trusted: dict[str, Any]) -> aws.iam.Role:
        return aws.iam.Role(
            what,
            name=fit_name(self._args.frame.name(what), ROLE_NAME),
            description=description,
            assume_role_policy=json.dumps(trusted),
            tags=self._args.frame.tags("identity"),
            opts=self._here(),
        )

    def _allow(self, what: str, role: aws.iam.Role, statements: Sequence[dict[str, Any]]) -> None:
        policy = pulumi.Output.json_dumps(document(*statements))
        self.attached.append(aws.iam.RolePolicy(what, role=role.id, policy=policy, opts=self._here()))

    def _runner(self) -> aws.iam.Role:
        frame, place = self._args.frame, self._place
        accounts = {site.account for site in frame.estate.sites.values() if isinstance(site, AwsSite)}
        outside = frame.estate.stacks.outside if frame.estate.stacks else None
        if isinstance(outside, AwsAccount):
            accounts.add(outside.account)
        roots = [Place(account, place.region).iam("root") for account in sorted(accounts)]
        role = self._role("runner", "runbooks act as it", trust({"AWS": roots}))
        sizing = sizing_statements(
            place,
            [
                place.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{group}")
                for group in self._args.groups
            ],
            [
                place.arn("eks", f"nodegroup/{self._args.cluster}/{group}/*")
                for group in self._args.node_groups
            ],
            self._args.cluster,
        )
        self._allow("runner", role, [*sizing, *self._vault(), *self._witness()])
        return role

    def _vault(self) -> list[dict[str, Any]]:
        return vault_statements(self._args.buckets, self._args.keys)

    def _witness(self) -> list[dict[str, Any]]:
        """Where intent and fence are kept, if that is a bucket of Amazon S3."""
        estate = self._args.frame.estate
        store = estate.stores.get(estate.witness.store)
        if not isinstance(store, S3Store) or store.endpoint is not None:
            return []
        key = key_of(estate, estate.witness.store, store, self._place)
        bucket = self._place.bucket(store.bucket)
        return [*bucket_statements([bucket]), use_declared_key(self._place, key)]

    def _cluster_roles(self) -> None:
        control = self._role("control", "EKS acts as it", trust({"Service": "eks.amazonaws.com"}))
        self._attach("control", control, "AmazonEKSClusterPolicy")
        self.control = control.arn
        pods = {"Service": "pods.eks.amazonaws.com"}
        workload = self._role(
            "workload", "workloads act as it", trust(pods, ("sts:AssumeRole", "sts:TagSession"))
        )
        self._allow("workload", workload, self._vault())
        self.workload = workload.arn

    def _node_role(self) -> None:
        place, adopt = self._place, self._args.site.adopt
        if adopt.node_role is not None:
            self.node = pulumi.Output.from_input(adopt.node_role)
            return
        node = self._role("node", "nodes of the cluster act as it", trust({"Service": place.service("ec2")}))
        for policy in NODE_POLICIES:
            self._attach("node", node, policy)
        self.node = node.arn

    def _attach(self, what: str, role: aws.iam.Role, policy: str) -> None:
        attached = aws.iam.RolePolicyAttachment(
            f"{what}-{policy}",
            role=role.name,
            policy_arn=self._place.managed_policy(policy),
            opts=self._here(),
        )
        self.attached.append(attached)

    def _machine_profile(self) -> None:
        role = self._role(
            "machine", "machines of pools act as it", trust({"Service": self._place.service("ec2")})
        )
        self._allow("machine", role, self._vault())
        profile = aws.iam.InstanceProfile(
            "machine",
            name=fit_name(self._args.frame.name("machine"), ROLE_NAME),
            role=role.name,
            tags=self._args.frame.tags("identity"),
            opts=self._here(),
        )
        self.profile = profile.name
