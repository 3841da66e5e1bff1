"""A link, whole: whatever joins its two ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from relight.errors import UsageError
from relight.estate import AwsSite, Gateway, GoogleSite, Link, MetalSite
from relight.topology.frame import Frame
from relight.topology.links.ends import End, ends_of, parallel_flows
from relight.topology.links.google_vpn import join_to_aws, join_to_google, join_to_router
from relight.topology.links.peering import Peer, Peering, PeeringArgs
from relight.topology.links.sides import AwsSide, GoogleSide
from relight.topology.links.tunnels import Inside, insides, tunnels_for
from relight.topology.links.vpn import Vpn, VpnArgs

_KEY = re.compile(r"(?!0)[A-Za-z0-9._]{8,64}")  # what AWS takes ("Tunnel options", pre-shared key)
_MTU = {"peering": 8500, "aws": 1446, "google": 1406}
"""Largest packet inside (AWS "Best practices for a customer gateway device", Google "MTU considerations")."""


@dataclass(frozen=True)
class LinkArgs:
    """The estate, and which of its links."""

    frame: Frame
    link_name: str


class LinkStack(pulumi.ComponentResource):
    """The private way between two sites, in a stack that neither site's stack needs.

    It reads what it joins (transit gateway; network, router and HA VPN gateway) from the outputs of the
    sites' stacks, and gives nothing back. AWS to AWS is a peering; everything else is IPsec with BGP, and
    half of the tunnels carry the declared bandwidth, so that either gateway may die. A router of one
    address has no spare: the output `diverse` is false then.

    What is set apart for replication: no cloud here enforces it. A tunnel has no queues, a transit
    gateway spreads flows by hash whatever they carry, and a second set of tunnels would need replication
    to have prefixes of its own. So the rate is an output (`replicationBytesPerSecond`) for whoever sends,
    which holds itself to it, and the tunnels are counted for the whole. One flow follows one tunnel: to
    reach the rate takes `replicationFlows` connections. S3's own replication and Google's dual regions do
    not pass here at all.

    Size of packets: the output `mtu` is what fits inside; routers on premises clamp TCP's MSS to `mss`,
    fragment before they encrypt and let ICMP "fragmentation needed" pass, else large packets vanish
    silently.

    Billed while asleep: what `Peering`, `Vpn` and `Tunnel` say: attachments, connections and tunnels by
    the hour, whether anything passes or not. Turn it off by destroying this stack; the sites notice only
    the missing routes.
    """

    def __init__(self, name: str, args: LinkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        estate = args.frame.estate
        first, second = ends_of(estate, args.link_name)
        link = estate.links[args.link_name]
        kinds = (first.site.kind, second.site.kind)
        is_peering = kinds == ("aws", "aws")
        count = 0 if is_peering else tunnels_for(link.bandwidth, 4 if "aws" in kinds else 2)
        planned = insides(args.link_name, tuple(estate.links), count)
        key = _key(args.frame, link)
        super().__init__("relight:links:LinkStack", name, None, opts)
        self._frame = args.frame
        made = self._join(first, second, planned, key)
        mtu = _MTU["peering" if is_peering else "google" if "gcp" in kinds else "aws"]
        self.outputs: Mapping[str, pulumi.Input[Any]] = {
            "between": [first.name, second.name],
            "tunnels": count,
            "insideCidrs": [inside.cidr for inside in planned],
            "bytesPerSecond": link.bandwidth,
            "replicationBytesPerSecond": link.replication,
            "replicationFlows": 1 if is_peering else parallel_flows(link),
            "mtu": mtu,
            "mss": mtu - 40,
            "diverse": all(_is_diverse(end) for end in (first, second)),
            **made,
        }
        self.register_outputs(dict(self.outputs))

    def _join(
        self, first: End, second: End, planned: tuple[Inside, ...], key: pulumi.Output[str] | None
    ) -> Mapping[str, pulumi.Input[Any]]:
        match first.site, second.site:
            case AwsSite() as one, AwsSite() as other:
                self._peer(self._aws(first, one), self._aws(second, other))
            case AwsSite() as one, GoogleSite() as other:
                self._cross(self._aws(first, one), self._google(second, other), planned, key)
            case AwsSite() as one, MetalSite(gateway=Gateway() as router):
                return self._reach(self._aws(first, one), router, planned, key)
            case GoogleSite() as one, GoogleSite() as other:
                sides = (self._google(first, one), self._google(second, other))
                join_to_google(sides, planned, _needed(key), self)
            case GoogleSite() as one, MetalSite(gateway=Gateway() as router):
                side = self._google(first, one)
                join_to_router(side, router, planned, _needed(key), self)
                return {"routerPeers": side.addresses(self)}
        return {}

    def _aws(self, end: End, site: AwsSite) -> AwsSide:
        return AwsSide.read(self._frame, end, site, self)

    def _google(self, end: End, site: GoogleSite) -> GoogleSide:
        return GoogleSide.read(self._frame, end, site, self)

    def _peer(self, first: AwsSide, second: AwsSide) -> None:
        peers = [
            Peer(side.end.name, side.site, side.provider, side.transit_gateway) for side in (first, second)
        ]
        Peering("peering", PeeringArgs(self._frame, *peers), pulumi.ResourceOptions(parent=self))

    def _cross(
        self, one: AwsSide, other: GoogleSide, planned: tuple[Inside, ...], key: pulumi.Output[str] | None
    ) -> None:
        gateways = other.addresses(self)
        vpn = Vpn(
            "vpn",
            VpnArgs(self._frame, one.transit_gateway, gateways, other.end.asn, planned, key),
            pulumi.ResourceOptions(parent=self, provider=one.provider),
        )
        join_to_aws(other, vpn.tunnels, one.end.asn, self)

    def _reach(
        self, side: AwsSide, router: Gateway, planned: tuple[Inside, ...], key: pulumi.Output[str] | None
    ) -> Mapping[str, pulumi.Input[Any]]:
        gateways = [router.address, *([router.second_address] if router.second_address else [])]
        vpn = Vpn(
            "vpn",
            VpnArgs(self._frame, side.transit_gateway, gateways, router.asn, planned, key),
            pulumi.ResourceOptions(parent=self, provider=side.provider),
        )
        written = [
            pulumi.Output.secret(connection.customer_gateway_configuration) for connection in vpn.connections
        ]
        return {"routerConfigurations": written}


def _key(frame: Frame, link: Link) -> pulumi.Output[str] | None:
    """The tunnels' key, as a secret; None: AWS makes them."""
    if link.preshared_key is None:
        return None
    value = frame.resolve(link.preshared_key)
    if not _KEY.fullmatch(value):
        raise UsageError(
            f"{link.preshared_key} is no key that a tunnel takes",
            "8 to 64 letters, digits, dots and underscores, not beginning with 0",
        )
    return pulumi.Output.secret(value)


def _needed(key: pulumi.Output[str] | None) -> pulumi.Output[str]:
    if key is None:
        raise UsageError("nobody makes the tunnels' key", "write preshared_key: env:NAME")
    return key


def _is_diverse(end: End) -> bool:
    """Whether one gateway of this end may die."""
    return not (isinstance(end.site, MetalSite) and end.site.gateway and not end.site.gateway.second_address)
