"""The site's routers, as AWS knows them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.estate import Gateway
from relight.topology.frame import Frame

_LARGEST_PLAIN_ASN = 2_147_483_647  # beyond it AWS takes the number under another name


@dataclass(frozen=True)
class CustomerGatewaysArgs:
    """Whose they are, and where the routers are."""

    frame: Frame
    gateway: Gateway


class CustomerGateways(pulumi.ComponentResource):
    """One customer gateway per address of the site's routers; `gateways` in that order.

    Billed while asleep: nothing; a customer gateway is a record.
    """

    def __init__(
        self, name: str, args: CustomerGatewaysArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("relight:metal:CustomerGateways", name, None, opts)
        gateway, asn = args.gateway, args.gateway.asn
        addresses = [address for address in (gateway.address, gateway.second_address) if address]
        self.gateways = [
            aws.ec2.CustomerGateway(
                f"router-{number}",
                aws.ec2.CustomerGatewayArgs(
                    type="ipsec.1",
                    ip_address=address,
                    bgp_asn=str(asn) if asn <= _LARGEST_PLAIN_ASN else None,
                    bgp_asn_extended=str(asn) if asn > _LARGEST_PLAIN_ASN else None,
                    tags=args.frame.tags("network", args.frame.name(f"router-{number}")),
                ),
                pulumi.ResourceOptions(parent=self),
            )
            for number, address in enumerate(addresses, start=1)
        ]
        self.register_outputs({"gateways": [each.id for each in self.gateways]})
