"""AWS's end of a VPN: customer gateways, connections of two tunnels each, BGP over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame
from relight.topology.links.tunnels import Inside

_CIPHERS = {
    "ike_versions": ["ikev2"],
    "phase1_encryption_algorithms": ["AES256-GCM-16"],
    "phase1_integrity_algorithms": ["SHA2-256", "SHA2-384", "SHA2-512"],
    "phase1_dh_group_numbers": [14, 15, 16, 19, 20, 21],
    "phase2_encryption_algorithms": ["AES256-GCM-16"],
    "phase2_integrity_algorithms": ["SHA2-256", "SHA2-384", "SHA2-512"],
    "phase2_dh_group_numbers": [14, 15, 16, 19, 20, 21],
    "dpd_timeout_action": "restart",
    "startup_action": "start",
}
_LARGEST_SHORT_ASN = 2_147_483_647  # beyond it AWS takes the number as bgpAsnExtended


@dataclass(frozen=True)
class Far:
    """One end of one tunnel, as whoever stands at the other end must know it."""

    address: pulumi.Input[str]  # outside
    inside: Inside
    key: pulumi.Output[str]  # a secret


@dataclass(frozen=True)
class VpnArgs:
    """What AWS's end is made of. The connections use the gateways in turn, and two of `insides` each."""

    frame: Frame
    transit_gateway: pulumi.Input[str]
    gateways: Sequence[pulumi.Input[str]]  # outside addresses of the other end, one or two
    asn: int  # of the other end
    insides: Sequence[Inside]
    key: pulumi.Output[str] | None = None  # none: AWS makes one for each tunnel


class Vpn(pulumi.ComponentResource):
    """VPN connections on a transit gateway, which spreads flows over all tunnels (ECMP).

    Each connection has two tunnels in two availability zones; connections alternate between the gateways
    of the other end, so that neither a zone nor a gateway takes the link down. AWS replaces an endpoint
    now and then and takes one tunnel of a connection away meanwhile.

    Billed while asleep: each connection by the hour (about 0.05 USD, 37 USD a month) and its attachment
    to the transit gateway by the hour (about the same); bytes out, and bytes through the transit gateway,
    by the GB.
    """

    def __init__(self, name: str, args: VpnArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:links:Vpn", name, None, opts)
        self._args = args
        gateways = [self._gateway(f"{name}-{at}", address) for at, address in enumerate(args.gateways)]
        pairs = [args.insides[at : at + 2] for at in range(0, len(args.insides), 2)]
        self.connections = [
            self._connection(f"{name}-{at}", gateways[at % len(gateways)], pair)
            for at, pair in enumerate(pairs)
        ]
        self.tunnels = [
            far
            for connection, pair in zip(self.connections, pairs, strict=True)
            for far in _fars(connection, pair)
        ]
        self.register_outputs({"connections": [connection.id for connection in self.connections]})

    def _gateway(self, name: str, address: pulumi.Input[str]) -> aws.ec2.CustomerGateway:
        args = self._args
        is_short = args.asn <= _LARGEST_SHORT_ASN
        return aws.ec2.CustomerGateway(
            name,
            aws.ec2.CustomerGatewayArgs(
                type="ipsec.1",
                ip_address=address,
                bgp_asn=str(args.asn) if is_short else None,
                bgp_asn_extended=None if is_short else str(args.asn),
                tags=args.frame.tags("network", args.frame.name(name)),
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _connection(
        self, name: str, gateway: aws.ec2.CustomerGateway, pair: Sequence[Inside]
    ) -> aws.ec2.VpnConnection:
        args = self._args
        options: dict[str, Any] = {}
        for at, inside in enumerate(pair, 1):
            options |= {f"tunnel{at}_{key}": value for key, value in _CIPHERS.items()}
            options |= {f"tunnel{at}_inside_cidr": inside.cidr}
            options |= {f"tunnel{at}_preshared_key": args.key} if args.key is not None else {}
        return aws.ec2.VpnConnection(
            name,
            aws.ec2.VpnConnectionArgs(
                **options,
                type="ipsec.1",
                customer_gateway_id=gateway.id,
                transit_gateway_id=args.transit_gateway,
                static_routes_only=False,
                tags=args.frame.tags("network", args.frame.name(name)),
            ),
            pulumi.ResourceOptions(parent=self),
        )


def _fars(connection: aws.ec2.VpnConnection, pair: Sequence[Inside]) -> tuple[Far, Far]:
    first, second = pair
    return (
        Far(connection.tunnel1_address, first, pulumi.Output.secret(connection.tunnel1_preshared_key)),
        Far(connection.tunnel2_address, second, pulumi.Output.secret(connection.tunnel2_preshared_key)),
    )
