"""The site's routers, as Google Cloud knows them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import Gateway
from relight.topology.frame import Frame


@dataclass(frozen=True)
class ExternalGatewayArgs:
    """Whose it is, and where the routers are."""

    frame: Frame
    gateway: Gateway


class ExternalGateway(pulumi.ComponentResource):
    """One external VPN gateway, with an interface per address of the site's routers.

    Billed while asleep: nothing; it is a record.
    """

    def __init__(
        self, name: str, args: ExternalGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("relight:metal:ExternalGateway", name, None, opts)
        addresses = [a for a in (args.gateway.address, args.gateway.second_address) if a]
        self.interfaces = len(addresses)
        self.gateway = gcp.compute.ExternalVpnGateway(
            "routers",
            gcp.compute.ExternalVpnGatewayArgs(
                name=args.frame.name("routers"),
                redundancy_type="TWO_IPS_REDUNDANCY"
                if len(addresses) > 1
                else "SINGLE_IP_INTERNALLY_REDUNDANT",
                interfaces=[
                    gcp.compute.ExternalVpnGatewayInterfaceArgs(id=number, ip_address=address)
                    for number, address in enumerate(addresses)
                ],
                labels=args.frame.labels("network"),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"gateway": self.gateway.self_link})
