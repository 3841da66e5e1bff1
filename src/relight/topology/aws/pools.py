"""Pools of GPU nodes: for each rung of each, one group with a size, which is the knob.

Billed while all are at 0: capacity reservations and blocks, at their full price whether a node runs or not;
the disks of machines that are kept warm. Everything else here costs nothing until a node starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.estate import AwsSite, CloudPool, Rung, fit_name, machine_of
from relight.provision import spread
from relight.topology.aws.bootstrap import join_cluster
from relight.topology.aws.cluster import Cluster
from relight.topology.aws.places import NODE_GROUP_NAME
from relight.topology.aws.templates import TemplateArgs, launch_template, rung_tags
from relight.topology.frame import Frame

GROUP, NODE_GROUP = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
GPU_IMAGE = "AL2023_x86_64_NVIDIA"
_CAPACITY_TYPES = {"spot": "SPOT", "capacity-block": "CAPACITY_BLOCK"}
_CAN_BE_WARM = ("reservation", "on-demand")  # Auto Scaling guide, "Limitations for warm pools"


@dataclass(frozen=True)
class PoolArgs:
    """One pool of a site, and how many nodes each rung of it should have now."""

    frame: Frame
    site: AwsSite
    pool: str
    sizes: Mapping[str, int]
    subnet: pulumi.Input[str]  # of the zone that it stands in
    guard: pulumi.Input[str]
    key: pulumi.Input[str]
    node_role: pulumi.Input[str] | None = None
    profile: pulumi.Input[str] | None = None
    cluster: Cluster | None = None
    after: Sequence[pulumi.Resource] = ()  # ways out, rules and policies that nodes need to start
    working: bool = False  # what runs there carries work: no update may delete or replace its groups


class Pool(pulumi.ComponentResource):
    """A launch template and a group for each rung; all nodes of a pool stand in one zone, close together.

    `sized` is the stack's output `pools` for it. An adopted node group is not declared at all: the knob
    turns it through the cloud's own API, so `sized` has no urn for it. Groups that carry work are protected:
    an update from an old checkout that would delete or replace one fails before it does. On-demand
    and spot nodes with a fabric share a cluster placement group; a block stands close together by itself,
    and a reservation where it was made.
    """

    def __init__(self, name: str, args: PoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Pool", name, None, opts)
        self._args = args
        self._declared: CloudPool = args.site.pools[args.pool]
        self.sized: dict[str, dict[str, Any]] = {}
        adopted = args.site.adopt.node_groups.get(args.pool)
        placement = None if adopted else self._placement()
        for rung in self._declared.rungs:
            nodes = args.sizes[rung.key]
            if adopted:
                said = {"resource": NODE_GROUP, "id": adopted, "nodes": nodes, "adopted": True}
            else:
                said = self._rung(rung, nodes, placement)
            self.sized[rung.key] = said
        self.register_outputs({"sized": self.sized})

    def _here(self, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **more)

    def _placement(self) -> pulumi.Output[str] | None:
        machine = machine_of(self._declared.machine)
        by_us = any(rung.kind in ("on-demand", "spot") for rung in self._declared.rungs)
        if machine is None or not machine.fabric or not by_us:
            return None
        args = self._args
        full = args.frame.name(args.pool)
        group = aws.ec2.PlacementGroup(
            args.pool,
            name=full,
            strategy="cluster",
            tags=args.frame.tags("compute", full),
            opts=self._here(),
        )
        name: pulumi.Output[str] = group.name
        return name

    def _rung(self, rung: Rung, nodes: int, placement: pulumi.Output[str] | None) -> dict[str, Any]:
        args, cluster = self._args, self._args.cluster
        placed: pulumi.Input[str] | None = rung.placement_group
        if rung.kind in ("on-demand", "spot"):
            placed = placement
        in_cluster = cluster is not None and self._declared.form == "cluster"
        template = launch_template(
            TemplateArgs(
                args.frame,
                args.pool,
                self._declared,
                rung,
                guards=[args.guard, cluster.guard] if cluster and in_cluster else [args.guard],
                key=args.key,
                placement=placed,
                profile=None if in_cluster else args.profile,
                user_data=self._user_data(cluster) if cluster and in_cluster else None,
            ),
            self._here(),
        )
        if cluster and in_cluster:
            return self._node_group(rung, nodes, template, cluster)
        return self._scaling_group(rung, nodes, template)

    def _user_data(self, cluster: Cluster) -> pulumi.Output[str] | None:
        if self._declared.image is None:
            return None
        known = pulumi.Output.all(
            name=cluster.name,
            endpoint=cluster.endpoint,
            authority=cluster.authority,
            services=cluster.services,
        )
        return known.apply(lambda told: join_cluster(**told))

    def _node_group(
        self, rung: Rung, nodes: int, template: aws.ec2.LaunchTemplate, cluster: Cluster
    ) -> dict[str, Any]:
        args = self._args
        logical = f"{args.pool}-{rung.key}"
        own_version = self._declared.image is None and args.site.adopt.cluster is None
        name = fit_name(logical, NODE_GROUP_NAME)
        group = aws.eks.NodeGroup(
            logical,
            node_group_name=name,
            cluster_name=cluster.name,
            node_role_arn=args.node_role,
            subnet_ids=[args.subnet],
            capacity_type=_CAPACITY_TYPES.get(rung.kind, "ON_DEMAND"),
            ami_type=GPU_IMAGE if self._declared.image is None else None,
            version=args.site.kubernetes if own_version else None,
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=0, max_size=rung.nodes, desired_size=nodes
            ),
            labels={"relight.dev/pool": args.pool, "relight.dev/rung": rung.key},
            tags=rung_tags(args.frame, args.pool, rung.key),
            opts=self._here(depends_on=[*cluster.ready, *args.after], protect=args.working and nodes > 0),
        )
        return {"urn": group.urn, "resource": NODE_GROUP, "id": name, "nodes": nodes}

    def _scaling_group(self, rung: Rung, nodes: int, template: aws.ec2.LaunchTemplate) -> dict[str, Any]:
        args = self._args
        logical = f"{args.pool}-{rung.key}"
        name = args.frame.name(logical)
        group = aws.autoscaling.Group(
            logical,
            name=name,
            min_size=0,
            max_size=rung.nodes,
            desired_capacity=nodes,
            vpc_zone_identifiers=[args.subnet],
            launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            health_check_type="EC2",
            wait_for_capacity_timeout="0",  # the step that turns the knob waits, and moves on along the rungs
            warm_pool=self._warm_pool(rung),
            tags=[
                aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in rung_tags(args.frame, args.pool, rung.key).items()
            ],
            opts=self._here(depends_on=list(args.after), protect=args.working and nodes > 0),
        )
        return {"urn": group.urn, "resource": GROUP, "id": name, "nodes": nodes}

    def _warm_pool(self, rung: Rung) -> aws.autoscaling.GroupWarmPoolArgs | None:
        """Prepared beyond the quiet size, and not filled up again in an incident, when capacity is short."""
        if self._declared.warm == 0 or rung is not warm_rung(self._declared):
            return None
        frame, pool = self._args.frame, self._declared
        rooms = {each.key: each.nodes for each in pool.rungs}
        quiet = spread(frame.estate.quiet_nodes(frame.stack, pool.nodes), rooms)[rung.key]
        return aws.autoscaling.GroupWarmPoolArgs(
            pool_state="Stopped",
            min_size=0,
            max_group_prepared_capacity=min(rung.nodes, quiet + self._declared.warm),
        )


def warm_rung(pool: CloudPool) -> Rung | None:
    """The rung that keeps the pool's machines warm: the first that may; None: none may."""
    return next((rung for rung in pool.rungs if rung.kind in _CAN_BE_WARM), None)
