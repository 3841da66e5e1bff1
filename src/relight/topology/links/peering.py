"""AWS to AWS: two transit gateways peered, over AWS's own network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.estate import AwsSite
from relight.topology.frame import Frame


@dataclass(frozen=True)
class Peer:
    """One side: its site, its provider, and the id of its transit gateway."""

    name: str
    site: AwsSite
    provider: aws.Provider
    transit_gateway: pulumi.Input[str]


@dataclass(frozen=True)
class PeeringArgs:
    """The side that asks, and the side that accepts."""

    frame: Frame
    first: Peer
    second: Peer


class Peering(pulumi.ComponentResource):
    """A peering attachment, its acceptance, and a static route each way: peerings speak no BGP.

    AWS encrypts it, and runs it over several paths; there is no tunnel to count, and no rate to buy or to
    limit. Packets up to 8,500 bytes pass, within a region and between regions.

    Billed while asleep: an attachment on each side by the hour (about 0.05 USD each, 37 USD a month);
    bytes between regions by the GB.
    """

    def __init__(self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:links:Peering", name, None, opts)
        frame, first, second = args.frame, args.first, args.second
        tags = frame.tags("network", frame.name())
        attachment = aws.ec2transitgateway.PeeringAttachment(
            f"{name}-{first.name}",
            aws.ec2transitgateway.PeeringAttachmentArgs(
                transit_gateway_id=first.transit_gateway,
                peer_transit_gateway_id=second.transit_gateway,
                peer_region=second.site.region,
                peer_account_id=second.site.account,
                tags=tags,
            ),
            pulumi.ResourceOptions(parent=self, provider=first.provider),
        )
        accepted = aws.ec2transitgateway.PeeringAttachmentAccepter(
            f"{name}-{second.name}",
            aws.ec2transitgateway.PeeringAttachmentAccepterArgs(
                transit_gateway_attachment_id=attachment.id, tags=tags
            ),
            pulumi.ResourceOptions(parent=self, provider=second.provider),
        )
        for near, far in ((first, second), (second, first)):
            self._routes(name, near, far, attachment.id, accepted)
        self.register_outputs({"attachment": attachment.id})

    def _routes(self, name: str, near: Peer, far: Peer, attachment: pulumi.Input[str], accepted: Any) -> None:
        gateway = aws.ec2transitgateway.TransitGateway.get(
            f"{name}-{near.name}-gateway",
            near.transit_gateway,
            opts=pulumi.ResourceOptions(parent=self, provider=near.provider),
        )
        for at, cidr in enumerate(far.site.cidrs):
            aws.ec2transitgateway.Route(
                f"{name}-{near.name}-{at}",
                aws.ec2transitgateway.RouteArgs(
                    destination_cidr_block=cidr,
                    transit_gateway_attachment_id=attachment,
                    transit_gateway_route_table_id=gateway.association_default_route_table_id,
                ),
                pulumi.ResourceOptions(parent=self, provider=near.provider, depends_on=[accepted]),
            )
