"""The site's end of its links: a transit gateway, which the links' own stacks attach their tunnels to.

Billed while asleep: the attachment by the hour; what passes, by the byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.estate import AwsSite, Estate, SandboxSite
from relight.topology.frame import Frame


@dataclass(frozen=True)
class TransitArgs:
    """The VPC that is attached, and the networks at the far ends, which its route tables learn."""

    frame: Frame
    site: AwsSite
    vpc: pulumi.Input[str]
    subnets: list[pulumi.Input[str]]
    tables: Mapping[str, pulumi.Input[str]]
    linked: Sequence[str]


class Transit(pulumi.ComponentResource):
    """`gateway` is the id of the transit gateway, own or adopted. Tunnels share the traffic (ECMP)."""

    def __init__(self, name: str, args: TransitArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Transit", name, None, opts)
        full = args.frame.name("transit")
        tags = args.frame.tags("network", full)
        self.gateway: pulumi.Output[str]
        if args.site.adopt.transit_gateway is not None:
            self.gateway = pulumi.Output.from_input(args.site.adopt.transit_gateway)
        else:
            gateway = aws.ec2transitgateway.TransitGateway(
                name,
                description=f"links of {args.frame.name()}",
                amazon_side_asn=args.site.asn,
                auto_accept_shared_attachments="disable",
                default_route_table_association="enable",
                default_route_table_propagation="enable",
                dns_support="enable",
                vpn_ecmp_support="enable",
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.gateway = gateway.id
        attachment = aws.ec2transitgateway.VpcAttachment(
            name,
            transit_gateway_id=self.gateway,
            vpc_id=args.vpc,
            subnet_ids=args.subnets,
            dns_support="enable",
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        for zone, table in args.tables.items():
            for cidr in args.linked:
                aws.ec2.Route(
                    f"{zone}-{cidr.replace('/', '-')}",
                    route_table_id=table,
                    destination_cidr_block=cidr,
                    transit_gateway_id=self.gateway,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[attachment]),
                )
        self.register_outputs({"gateway": self.gateway})


def is_linked(estate: Estate, site: str) -> bool:
    """Whether any declared link ends at a site."""
    return any(site in link.between for link in estate.links.values())


def linked_networks(estate: Estate, site: str) -> tuple[str, ...]:
    """The networks of the sites at the far ends of its links, each once, in the order of the estate."""
    found: dict[str, None] = {}
    for link in estate.links.values():
        if site not in link.between:
            continue
        for other in link.between:
            there = estate.sites.get(other)
            if other != site and there is not None and not isinstance(there, SandboxSite):
                found.update(dict.fromkeys(there.cidrs))
    return tuple(found)
