"""The way to a site's BMCs through AWS, when nothing else of the site is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame
from relight.topology.metal.access_network import ACCESS_CIDR, access_subnets
from relight.topology.metal.aws_jump import JumpHost, JumpHostArgs


@dataclass(frozen=True)
class OutOfBandArgs:
    """The BMCs' network, the routers before it, and the tunnels' key (None: AWS makes one for each)."""

    frame: Frame
    network: str
    gateways: Sequence[aws.ec2.CustomerGateway]
    preshared_key: pulumi.Output[str] | None


class OutOfBand(pulumi.ComponentResource):
    """A Site-to-Site VPN from a VPC that holds nothing else: two tunnels to each router of the site.

    Routes are static: one network is to be reached, and nothing that the far end says should move it. AWS
    starts the tunnels, and starts them again when they fall: nobody has to be at the site. Client VPN would
    bring people in, but not the site: something must still lead to its BMCs.
    Billed while asleep: each connection (one per router) by the hour, as long as it exists, and its traffic.
    """

    def __init__(self, name: str, args: OutOfBandArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:OutOfBand", name, None, opts)
        self._frame, self._args, self._child = args.frame, args, pulumi.ResourceOptions(parent=self)
        self._vpc = aws.ec2.Vpc(
            "out-of-band",
            cidr_block=ACCESS_CIDR,
            enable_dns_support=True,
            tags=self._tags("out-of-band"),
            opts=self._child,
        )
        # The group that a VPC comes with admits its members to each other; nobody is to be in it.
        aws.ec2.DefaultSecurityGroup(
            "out-of-band", vpc_id=self._vpc.id, tags=self._tags("nobody"), opts=self._child
        )
        self._gateway = aws.ec2.VpnGateway(
            "out-of-band", vpc_id=self._vpc.id, tags=self._tags("out-of-band"), opts=self._child
        )
        connections = [self._connect(number, each) for number, each in enumerate(args.gateways, start=1)]
        subnets = self._make_subnets()
        jump = JumpHost(
            "jump", JumpHostArgs(args.frame, self._vpc.id, subnets[0].id, args.network), self._child
        )
        self.outputs: dict[str, Any] = {
            "subnets": [subnet.id for subnet in subnets],
            "jumpHost": jump.template.id,
            "tunnels": [tunnel for each in connections for tunnel in _tunnels(each)],
        }
        self.register_outputs(self.outputs)

    def _tags(self, what: str) -> dict[str, str]:
        return self._frame.tags("network", self._frame.name(what))

    def _connect(self, number: int, router: aws.ec2.CustomerGateway) -> aws.ec2.VpnConnection:
        connection = aws.ec2.VpnConnection(
            f"router-{number}",
            aws.ec2.VpnConnectionArgs(
                type="ipsec.1",
                customer_gateway_id=router.id,
                vpn_gateway_id=self._gateway.id,
                static_routes_only=True,
                local_ipv4_network_cidr=self._args.network,
                remote_ipv4_network_cidr=ACCESS_CIDR,
                tags=self._tags(f"router-{number}"),
                **_tunnel_settings(self._args.preshared_key),
            ),
            self._child,
        )
        aws.ec2.VpnConnectionRoute(
            f"router-{number}",
            vpn_connection_id=connection.id,
            destination_cidr_block=self._args.network,
            opts=self._child,
        )
        return connection

    def _make_subnets(self) -> list[aws.ec2.Subnet]:
        """Two, in different zones, with one way out: to the BMCs."""
        zones = aws.get_availability_zones(state="available", opts=pulumi.InvokeOptions(parent=self)).names
        to_bmcs = aws.ec2.RouteTableRouteArgs(cidr_block=self._args.network, gateway_id=self._gateway.id)
        table = aws.ec2.RouteTable(
            "out-of-band",
            vpc_id=self._vpc.id,
            routes=[to_bmcs],
            tags=self._tags("out-of-band"),
            opts=self._child,
        )
        subnets: list[aws.ec2.Subnet] = []
        for zone, cidr in zip(zones, access_subnets(), strict=False):
            number = len(subnets) + 1
            subnet = aws.ec2.Subnet(
                f"out-of-band-{number}",
                vpc_id=self._vpc.id,
                cidr_block=cidr,
                availability_zone=zone,
                map_public_ip_on_launch=False,
                tags=self._tags(f"out-of-band-{number}"),
                opts=self._child,
            )
            aws.ec2.RouteTableAssociation(
                f"out-of-band-{number}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
            subnets.append(subnet)
        return subnets


def _tunnel_settings(preshared_key: pulumi.Output[str] | None) -> dict[str, Any]:
    """The same for both tunnels of a connection: current ciphers, and AWS as the one who calls."""
    settings: dict[str, Any] = {
        "ike_versions": ["ikev2"],
        "startup_action": "start",
        "dpd_timeout_action": "restart",
        "preshared_key": preshared_key,
    }
    for phase in ("phase1", "phase2"):
        settings |= {
            f"{phase}_encryption_algorithms": ["AES256", "AES256-GCM-16"],
            f"{phase}_integrity_algorithms": ["SHA2-256", "SHA2-384", "SHA2-512"],
            f"{phase}_dh_group_numbers": [14, 19, 20, 21],
        }
    return {f"tunnel{number}_{key}": value for number in (1, 2) for key, value in settings.items()}


def _tunnels(connection: aws.ec2.VpnConnection) -> list[dict[str, pulumi.Input[str]]]:
    """What the site's router must be told of each tunnel."""
    return [
        {
            "address": getattr(connection, f"tunnel{number}_address"),
            "presharedKey": pulumi.Output.secret(getattr(connection, f"tunnel{number}_preshared_key")),
        }
        for number in (1, 2)
    ]
