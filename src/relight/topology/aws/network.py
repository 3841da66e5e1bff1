"""The network of a site: a VPC over its zones, with a way out from each, and none in.

Billed while asleep: a NAT gateway and its public address in every zone, by the hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.estate import AwsSite
from relight.topology.aws.subnets import Subnet, plan_subnets
from relight.topology.frame import Frame


@dataclass(frozen=True)
class NetworkArgs:
    """The site whose network it is; `lean`: without ways out, so that nothing of it costs by the hour."""

    frame: Frame
    site: AwsSite
    lean: bool = False


class Network(pulumi.ComponentResource):
    """`vpc` is its id, `private` the id of each zone's private subnet, `tables` the ids of its route table.

    Each zone has its own NAT gateway: one that goes takes no other zone with it. An adopted VPC is named,
    never read or changed: its owner sees to ways out, endpoints, and routes to linked sites; then `tables`
    is empty. `ready` is what a node waits for: its way out.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Network", name, None, opts)
        self._frame = args.frame
        self.vpc: pulumi.Output[str]
        self.private: Mapping[str, pulumi.Output[str]]
        self.tables: Mapping[str, pulumi.Output[str]] = {}
        self.ready: list[pulumi.Resource] = []
        adopt = args.site.adopt
        if adopt.vpc is not None:
            self.vpc = pulumi.Output.from_input(adopt.vpc)
            pairs = zip(args.site.zones, adopt.private_subnets, strict=False)
            self.private = {zone: pulumi.Output.from_input(subnet) for zone, subnet in pairs}
        else:
            self._make(name, args.site, lean=args.lean)
        self.register_outputs({"vpc": self.vpc, "private": list(self.private.values())})

    def _here(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _tags(self, what: str) -> dict[str, str]:
        return self._frame.tags("network", self._frame.name(what))

    def _make(self, name: str, site: AwsSite, *, lean: bool) -> None:
        vpc = aws.ec2.Vpc(
            name,
            cidr_block=site.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._tags(""),
            opts=self._here(),
        )
        self.vpc = vpc.id
        aws.ec2.DefaultSecurityGroup(  # without rules: whatever forgets to name a group reaches nothing
            f"{name}-default", vpc_id=vpc.id, tags=self._tags("default"), opts=self._here()
        )
        outer = None if lean else self._public(name, vpc.id)
        private, tables = {}, {}
        for subnet in plan_subnets(site.cidr, site.zones):
            private[subnet.zone], tables[subnet.zone] = self._private(subnet, vpc.id)
            if outer is not None:
                self._way_out(subnet, vpc.id, outer, tables[subnet.zone])
        self.private, self.tables = private, tables

    def _public(self, name: str, vpc: pulumi.Input[str]) -> aws.ec2.RouteTable:
        gateway = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=vpc, tags=self._tags("internet"), opts=self._here()
        )
        return aws.ec2.RouteTable(
            f"{name}-public",
            vpc_id=vpc,
            routes=[aws.ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", gateway_id=gateway.id)],
            tags=self._tags("public"),
            opts=self._here(),
        )

    def _way_out(
        self, subnet: Subnet, vpc: pulumi.Input[str], public: aws.ec2.RouteTable, table: pulumi.Input[str]
    ) -> None:
        what = f"public-{subnet.zone}"
        outer = aws.ec2.Subnet(
            what,
            vpc_id=vpc,
            availability_zone=subnet.zone,
            cidr_block=subnet.public,
            map_public_ip_on_launch=False,
            tags=self._tags(what) | {"kubernetes.io/role/elb": "1"},
            opts=self._here(),
        )
        aws.ec2.RouteTableAssociation(what, subnet_id=outer.id, route_table_id=public.id, opts=self._here())
        address = aws.ec2.Eip(
            f"nat-{subnet.zone}", domain="vpc", tags=self._tags(f"nat-{subnet.zone}"), opts=self._here()
        )
        nat = aws.ec2.NatGateway(
            f"nat-{subnet.zone}",
            subnet_id=outer.id,
            allocation_id=address.allocation_id,
            tags=self._tags(f"nat-{subnet.zone}"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[public]),  # it needs the internet gateway
        )
        route = aws.ec2.Route(
            f"private-{subnet.zone}-out",
            route_table_id=table,
            destination_cidr_block="0.0.0.0/0",
            nat_gateway_id=nat.id,
            opts=self._here(),
        )
        self.ready.append(route)

    def _private(
        self, subnet: Subnet, vpc: pulumi.Input[str]
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        what = f"private-{subnet.zone}"
        inner = aws.ec2.Subnet(
            what,
            vpc_id=vpc,
            availability_zone=subnet.zone,
            cidr_block=subnet.private,
            map_public_ip_on_launch=False,
            tags=self._tags(what) | {"kubernetes.io/role/internal-elb": "1"},
            opts=self._here(),
        )
        # Routes stand apart from their table: the transit gateway adds its own to the same table.
        table = aws.ec2.RouteTable(what, vpc_id=vpc, tags=self._tags(what), opts=self._here())
        aws.ec2.RouteTableAssociation(what, subnet_id=inner.id, route_table_id=table.id, opts=self._here())
        return inner.id, table.id
