"""The site's end of its links: an HA VPN gateway, on two interfaces that Google Cloud keeps apart."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import GoogleSite
from relight.topology.frame import Frame


@dataclass(frozen=True)
class GatewayArgs:
    """The site, and the network that its links lead into."""

    frame: Frame
    site: GoogleSite
    network: pulumi.Input[str]


class Gateway(pulumi.ComponentResource):
    """An HA VPN gateway; the tunnels, and the routes over them, belong to the stack of each link.

    Billed while asleep: nothing; each tunnel is, by the hour, in the stack of its link.
    """

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Gateway", name, None, opts)
        self.id: pulumi.Output[str] = gcp.compute.HaVpnGateway(
            "gateway",
            name=args.frame.name(),
            network=args.network,
            region=args.site.region,
            stack_type="IPV4_ONLY",
            labels=args.frame.labels("network"),
            opts=pulumi.ResourceOptions(parent=self),
        ).id
        self.register_outputs({"gateway": self.id})
