"""Security groups of a site: who may speak to whom. Nothing is let in from the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame

HTTPS = (443, 443)
SSH = (22, 22)
LUSTRE = ((988, 988), (1018, 1023))  # FSx guide, "File system access control with Amazon VPC"


@dataclass(frozen=True)
class GuardsArgs:
    """The VPC, networks here and at linked sites as CIDRs; whether there are endpoints and a cache."""

    frame: Frame
    vpc: pulumi.Input[str]
    cidr: str
    linked: Sequence[str]
    endpoints: bool
    cache: bool


class Guards(pulumi.ComponentResource):
    """`nodes`, `control`, and, where there are such, `endpoints` and `cache`: ids of security groups.

    EFA drops everything unless its group allows all traffic to itself and from itself: both are rules of
    `nodes`, and of `cache`, which has its own EFA (EC2 guide, "Prepare an EFA-enabled security group").
    Those rules are `ready`: FSx refuses to start without them.
    """

    def __init__(self, name: str, args: GuardsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Guards", name, None, opts)
        self._args = args
        self.ready: list[pulumi.Resource] = []
        near = (args.cidr, *args.linked)
        self.nodes = self._group("nodes", "GPU nodes, and EFA between them")
        self._open("nodes-itself", self.nodes, self.nodes)
        for cidr in near:
            self._let_out("nodes", self.nodes, cidr)
        self._let_out("nodes-world", self.nodes, "0.0.0.0/0", HTTPS)
        for cidr in args.linked:
            self._let_in("nodes", self.nodes, cidr, HTTPS)
            self._let_in("nodes", self.nodes, cidr, SSH)
        self.control = self._group("control", "the cluster's control plane, from here and linked sites")
        for cidr in near:
            self._let_in("control", self.control, cidr, HTTPS)
        self.endpoints: pulumi.Output[str] | None = None
        if args.endpoints:
            self.endpoints = self._group("endpoints", "services of AWS, from inside the site")
            self._let_in("endpoints", self.endpoints, args.cidr, HTTPS)
        self.cache = self._cache() if args.cache else None
        self.register_outputs({"nodes": self.nodes, "control": self.control})

    def _here(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _group(self, what: str, description: str) -> pulumi.Output[str]:
        full = self._args.frame.name(what)
        group = aws.ec2.SecurityGroup(
            what,
            name=full,
            description=description,
            vpc_id=self._args.vpc,
            tags=self._args.frame.tags("network", full),
            opts=self._here(),
        )
        made: pulumi.Output[str] = group.id
        return made

    def _cache(self) -> pulumi.Output[str]:
        group = self._group("cache", "the file system, and Lustre between it and the nodes")
        self._open("cache-itself", group, group)
        self._open("cache-nodes", group, self.nodes)
        self._open("nodes-cache", self.nodes, group)
        for ports in LUSTRE:
            self._let_in("cache", group, self._args.cidr, ports)
        return group

    def _open(self, what: str, group: pulumi.Input[str], other: pulumi.Input[str]) -> None:
        """All traffic between a group and another, or itself, out and in."""
        said = {"security_group_id": group, "referenced_security_group_id": other, "ip_protocol": "-1"}
        tags = self._args.frame.tags("network", what)
        self.ready += [
            aws.vpc.SecurityGroupIngressRule(f"{what}-in", **said, tags=tags, opts=self._here()),
            aws.vpc.SecurityGroupEgressRule(f"{what}-out", **said, tags=tags, opts=self._here()),
        ]

    def _let_in(self, what: str, group: pulumi.Input[str], cidr: str, ports: tuple[int, int]) -> None:
        rule = f"{what}-{cidr.replace('/', '-')}-{ports[0]}-in"
        aws.vpc.SecurityGroupIngressRule(
            rule,
            security_group_id=group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=ports[0],
            to_port=ports[1],
            tags=self._args.frame.tags("network", rule),
            opts=self._here(),
        )

    def _let_out(
        self, what: str, group: pulumi.Input[str], cidr: str, ports: tuple[int, int] | None = None
    ) -> None:
        rule = f"{what}-{cidr.replace('/', '-')}-out"
        aws.vpc.SecurityGroupEgressRule(
            rule,
            security_group_id=group,
            cidr_ipv4=cidr,
            ip_protocol="tcp" if ports else "-1",
            from_port=ports[0] if ports else None,
            to_port=ports[1] if ports else None,
            tags=self._args.frame.tags("network", rule),
            opts=self._here(),
        )
