"""The tunnels of a link with an end in Google Cloud: to AWS, to another site of Google's, to a router."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from relight.estate import Gateway, fit_name
from relight.topology.google.places import RESOURCE_NAME
from relight.topology.links.ha_vpn import Beyond, Tunnel, TunnelArgs
from relight.topology.links.sides import GoogleSide
from relight.topology.links.tunnels import Inside
from relight.topology.links.vpn import Far

_FOUR = 4  # addresses of one foreign gateway, two of each of two connections


def join_to_aws(side: GoogleSide, fars: Sequence[Far], asn: int, parent: pulumi.Resource) -> None:
    """Four tunnels for each two connections of AWS: interface 0 to the first, interface 1 to the second."""
    for at in range(0, len(fars), _FOUR):
        four = fars[at : at + _FOUR]
        gateway = _foreign(side, f"aws-{at // _FOUR}", [far.address for far in four], parent)
        for index, far in enumerate(four):
            Tunnel(
                f"{side.end.name}-{at + index}",
                TunnelArgs(
                    frame=side.frame,
                    region=side.site.region,
                    router=side.router,
                    gateway=side.gateway,
                    interface=index // 2,
                    beyond=Beyond(gateway, index),
                    key=far.key,
                    own_address=far.inside.second,
                    far_address=far.inside.first,
                    far_asn=asn,
                ),
                side.options(parent),
            )


def join_to_google(
    sides: tuple[GoogleSide, GoogleSide],
    insides: Sequence[Inside],
    key: pulumi.Output[str],
    parent: pulumi.Resource,
) -> None:
    """Two tunnels for each pair of gateways, interface to interface, made on either side."""
    gateways = [side.gateways(len(insides) // 2, parent) for side in sides]
    for at, inside in enumerate(insides):
        for near, far in ((0, 1), (1, 0)):
            addresses = (inside.first, inside.second)
            side = sides[near]
            Tunnel(
                f"{side.end.name}-{at}",
                TunnelArgs(
                    frame=side.frame,
                    region=side.site.region,
                    router=side.router,
                    gateway=gateways[near][at // 2],
                    interface=at % 2,
                    beyond=Beyond(gateways[far][at // 2]),
                    key=key,
                    own_address=addresses[near],
                    far_address=addresses[far],
                    far_asn=sides[far].end.asn,
                ),
                side.options(parent),
            )


def join_to_router(
    side: GoogleSide,
    router: Gateway,
    insides: Sequence[Inside],
    key: pulumi.Output[str],
    parent: pulumi.Resource,
) -> None:
    """Two tunnels for each gateway of Google's: one to either router, or both to the only one."""
    addresses = [router.address, *([router.second_address] if router.second_address else [])]
    beyond = _foreign(side, "router", addresses, parent)
    gateways = side.gateways(len(insides) // 2, parent)
    for at, inside in enumerate(insides):
        Tunnel(
            f"{side.end.name}-{at}",
            TunnelArgs(
                frame=side.frame,
                region=side.site.region,
                router=side.router,
                gateway=gateways[at // 2],
                interface=at % 2,
                beyond=Beyond(beyond, at % len(addresses)),
                key=key,
                own_address=inside.first,
                far_address=inside.second,
                far_asn=router.asn,
            ),
            side.options(parent),
        )


def _foreign(
    side: GoogleSide, name: str, addresses: Sequence[pulumi.Input[str]], parent: pulumi.Resource
) -> pulumi.Output[str]:
    redundancy = {1: "SINGLE_IP_INTERNALLY_REDUNDANT", 2: "TWO_IPS_REDUNDANCY", 4: "FOUR_IPS_REDUNDANCY"}
    gateway = gcp.compute.ExternalVpnGateway(
        name,
        gcp.compute.ExternalVpnGatewayArgs(
            name=fit_name(side.frame.name(name), RESOURCE_NAME),
            redundancy_type=redundancy[len(addresses)],
            interfaces=[
                gcp.compute.ExternalVpnGatewayInterfaceArgs(id=at, ip_address=address)
                for at, address in enumerate(addresses)
            ],
            labels=side.frame.labels("network"),
        ),
        side.options(parent),
    )
    made: pulumi.Output[str] = gateway.id
    return made
