"""The way to a site's BMCs through Google Cloud, when nothing else of the site is up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from relight.topology.frame import Frame
from relight.topology.metal.access_network import ACCESS_CIDR
from relight.topology.metal.google_gateways import ExternalGateway
from relight.topology.metal.google_jump import JumpHost, JumpHostArgs

_OWN_ASNS = (64514, 64515)  # private ones; the second where the site's router has the first


@dataclass(frozen=True)
class OutOfBandArgs:
    """The BMCs' network, the routers before it with their AS number, and the tunnels' key."""

    frame: Frame
    region: str
    network: str
    routers: ExternalGateway
    asn: int
    preshared_key: pulumi.Output[str]


class OutOfBand(pulumi.ComponentResource):
    """An HA VPN from a network that holds nothing else: two tunnels over both interfaces of the gateway.

    HA VPN routes by BGP alone. Classic VPN would take static routes, but has one gateway address and no
    promise of availability. Only the access network is advertised to the site.
    Billed while asleep: both tunnels by the hour, as long as they exist, and their traffic.
    """

    def __init__(self, name: str, args: OutOfBandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:OutOfBand", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        called = args.frame.name("out-of-band")
        network = gcp.compute.Network(
            "out-of-band",
            name=called,
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,  # nothing here speaks to the internet
            routing_mode="REGIONAL",
            opts=self._child,
        )
        subnetwork = gcp.compute.Subnetwork(
            "out-of-band",
            name=called,
            network=network.id,
            region=args.region,
            ip_cidr_range=ACCESS_CIDR,
            private_ip_google_access=False,
            opts=self._child,
        )
        tunnels = self._connect(network)
        jump = JumpHost(
            "jump",
            JumpHostArgs(args.frame, args.region, network.id, subnetwork.id, args.network),
            self._child,
        )
        self.outputs: dict[str, Any] = {
            "subnets": [subnetwork.id],
            "jumpHost": jump.template.id,
            "tunnels": tunnels,
        }
        self.register_outputs(self.outputs)

    def _connect(self, network: gcp.compute.Network) -> list[dict[str, Any]]:
        """Both tunnels with their BGP sessions; what the site's routers must be told of each."""
        args, called = self._args, self._args.frame.name("out-of-band")
        gateway = gcp.compute.HaVpnGateway(
            "out-of-band",
            name=called,
            network=network.id,
            region=args.region,
            labels=args.frame.labels("network"),
            opts=self._child,
        )
        own = next(asn for asn in _OWN_ASNS if asn != args.asn)
        advertised = gcp.compute.RouterBgpAdvertisedIpRangeArgs(range=ACCESS_CIDR)
        router = gcp.compute.Router(
            "out-of-band",
            name=called,
            network=network.id,
            region=args.region,
            bgp=gcp.compute.RouterBgpArgs(
                asn=own, advertise_mode="CUSTOM", advertised_ip_ranges=[advertised]
            ),
            opts=self._child,
        )
        return [self._tunnel(number, gateway, router) | {"asn": own} for number in (0, 1)]

    def _tunnel(
        self, number: int, gateway: gcp.compute.HaVpnGateway, router: gcp.compute.Router
    ) -> dict[str, Any]:
        args, name = self._args, f"out-of-band-{number + 1}"
        called = args.frame.name(name)
        ours, theirs = f"169.254.{100 + number}.1", f"169.254.{100 + number}.2"
        tunnel = gcp.compute.VPNTunnel(
            name,
            gcp.compute.VPNTunnelArgs(
                name=called,
                region=args.region,
                vpn_gateway=gateway.id,
                vpn_gateway_interface=number,
                peer_external_gateway=args.routers.gateway.id,
                peer_external_gateway_interface=number % args.routers.interfaces,
                shared_secret=args.preshared_key,
                ike_version=2,
                router=router.id,
                labels=args.frame.labels("network"),
            ),
            self._child,
        )
        interface = gcp.compute.RouterInterface(
            name,
            name=called,
            region=args.region,
            router=router.name,
            ip_range=f"{ours}/30",
            vpn_tunnel=tunnel.name,
            opts=self._child,
        )
        gcp.compute.RouterPeer(
            name,
            name=called,
            region=args.region,
            router=router.name,
            interface=interface.name,
            peer_ip_address=theirs,
            peer_asn=args.asn,
            opts=self._child,
        )
        address = gateway.vpn_interfaces.apply(lambda cards: cards[number].ip_address)
        return {
            "address": address,
            "inside": theirs,
            "peer": ours,
            "presharedKey": pulumi.Output.secret(args.preshared_key),
        }
