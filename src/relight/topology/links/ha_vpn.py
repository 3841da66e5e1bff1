"""Google Cloud's end of a VPN: tunnels of HA VPN gateways, each with a BGP session of the cloud router."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import fit_name
from relight.topology.frame import Frame
from relight.topology.google.places import RESOURCE_NAME

_PRIORITY = 100  # the same on every session, so that all tunnels carry (ECMP)


@dataclass(frozen=True)
class Beyond:
    """What a tunnel leads to: another HA VPN gateway, or an interface of a foreign gateway."""

    gateway: pulumi.Input[str]
    interface: int | None = None  # None: another HA VPN gateway of Google's


@dataclass(frozen=True)
class TunnelArgs:
    """One tunnel: from an interface of a gateway to what is beyond, and who speaks BGP inside."""

    frame: Frame
    region: str
    router: pulumi.Input[str]
    gateway: pulumi.Input[str]
    interface: int
    beyond: Beyond
    key: pulumi.Output[str]
    own_address: str
    far_address: str
    far_asn: int


class Tunnel(pulumi.ComponentResource):
    """An IPsec tunnel (IKEv2), an interface of the cloud router, and a BGP session over it.

    Google Cloud advertises every subnet of the network. Billed while asleep: the tunnel by the hour (about
    0.05 USD, 37 USD a month); bytes out by the GB.
    """

    def __init__(self, name: str, args: TunnelArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:links:Tunnel", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        full = fit_name(args.frame.name(name), RESOURCE_NAME)
        is_foreign = args.beyond.interface is not None
        tunnel = gcp.compute.VPNTunnel(
            name,
            gcp.compute.VPNTunnelArgs(
                name=full,
                region=args.region,
                router=args.router,
                vpn_gateway=args.gateway,
                vpn_gateway_interface=args.interface,
                peer_external_gateway=args.beyond.gateway if is_foreign else None,
                peer_external_gateway_interface=args.beyond.interface,
                peer_gcp_gateway=None if is_foreign else args.beyond.gateway,
                shared_secret=args.key,
                ike_version=2,
                labels=args.frame.labels("network"),
            ),
            own,
        )
        interface = gcp.compute.RouterInterface(
            name,
            gcp.compute.RouterInterfaceArgs(
                name=full,
                region=args.region,
                router=args.router,
                ip_range=f"{args.own_address}/30",
                vpn_tunnel=tunnel.name,
            ),
            own,
        )
        gcp.compute.RouterPeer(
            name,
            gcp.compute.RouterPeerArgs(
                name=full,
                region=args.region,
                router=args.router,
                interface=interface.name,
                peer_ip_address=args.far_address,
                peer_asn=args.far_asn,
                advertised_route_priority=_PRIORITY,
            ),
            own,
        )
        self.register_outputs({"tunnel": tunnel.id})
