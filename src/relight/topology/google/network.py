"""The network of a site: one VPC, one regional subnetwork, the way out, and no way in for the world."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import GoogleSite
from relight.topology.frame import Frame
from relight.topology.google.places import has_link, linked_networks, network_path, subnetwork_path

PODS, SERVICES = "pods", "services"  # names of the secondary ranges
_JUMBO = 8896  # bytes: the largest MTU of a VPC; Cloud VPN clamps TCP to its own


@dataclass(frozen=True)
class NetworkArgs:
    """The site that the network is of; `lean`: without a way out, so that nothing of it costs by the hour."""

    frame: Frame
    site: GoogleSite
    lean: bool = False


class Network(pulumi.ComponentResource):
    """VPC, subnetwork with ranges for pods and services, router, NAT, firewall, access to private services.

    Ingress: from the site's own networks and from those at the far end of its links, and from nowhere else;
    the VPC denies the rest by itself. Egress: through Cloud NAT; Google's APIs are reached privately. Where
    work bursts into as machines there is no NAT: their image holds all that they need.

    What is adopted is used as it is: its owner keeps firewall, NAT and private services access, and has the
    ranges "pods" and "services".

    Billed while asleep: Cloud NAT, by the hour and by what passes, unless lean; nothing else.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Network", name, None, opts)
        self._frame, self._site, self._lean = args.frame, args.site, args.lean
        adopt = args.site.adopt
        self.id: pulumi.Input[str]
        self.services: list[pulumi.Resource] = []  # what a cache waits for
        if adopt.network:
            self.id = network_path(args.site, adopt.network)
        else:
            self.id = self._make_network()
            self._open("internal", args.site.cidrs)
            if far := linked_networks(args.frame):
                self._open("linked", far)
            if args.site.cache:
                self.services.append(self._reach_services())
        self.subnetwork = (
            subnetwork_path(args.site, adopt.subnetwork) if adopt.subnetwork else self._make_subnetwork()
        )
        self.router: pulumi.Input[str] = adopt.router or self._make_router()
        self.register_outputs({"network": self.id, "subnetwork": self.subnetwork, "router": self.router})

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _make_network(self) -> pulumi.Output[str]:
        made: pulumi.Output[str] = gcp.compute.Network(
            "network",
            name=self._frame.name(),
            auto_create_subnetworks=False,
            routing_mode="GLOBAL",  # what a link brings is known in every region
            mtu=_JUMBO,
            opts=self._child(),
        ).id
        return made

    def _make_subnetwork(self) -> pulumi.Output[str]:
        ranges = {PODS: self._site.pods, SERVICES: self._site.services}
        made: pulumi.Output[str] = gcp.compute.Subnetwork(
            "nodes",
            name=self._frame.name("nodes"),
            network=self.id,
            region=self._site.region,
            ip_cidr_range=self._site.cidr,
            private_ip_google_access=True,
            secondary_ip_ranges=[
                gcp.compute.SubnetworkSecondaryIpRangeArgs(range_name=name, ip_cidr_range=cidr)
                for name, cidr in ranges.items()
            ],
            opts=self._child(),
        ).id
        return made

    def _make_router(self) -> pulumi.Output[str]:
        bgp = gcp.compute.RouterBgpArgs(asn=self._site.asn, advertise_mode="DEFAULT", keepalive_interval=20)
        router = gcp.compute.Router(
            "router",
            name=self._frame.name(),
            network=self.id,
            region=self._site.region,
            bgp=bgp if has_link(self._frame) else None,
            opts=self._child(),
        )
        called: pulumi.Output[str] = router.name
        if self._lean:
            return called
        gcp.compute.RouterNat(
            "nat",
            name=self._frame.name("nat"),
            router=router.name,
            region=self._site.region,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            enable_dynamic_port_allocation=True,  # a rehydration opens thousands of connections
            min_ports_per_vm=1024,
            max_ports_per_vm=65536,
            enable_endpoint_independent_mapping=False,
            log_config=gcp.compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=self._child(),
        )
        return called

    def _open(self, what: str, networks: tuple[str, ...]) -> None:
        gcp.compute.Firewall(
            what,
            name=self._frame.name(what),
            network=self.id,
            direction="INGRESS",
            source_ranges=list(networks),
            allows=[gcp.compute.FirewallAllowArgs(protocol=each) for each in ("tcp", "udp", "icmp")],
            log_config=gcp.compute.FirewallLogConfigArgs(metadata="EXCLUDE_ALL_METADATA")
            if what == "linked"
            else None,
            opts=self._child(),
        )

    def _reach_services(self) -> pulumi.Resource:
        """Peering with Google's own networks, where Managed Lustre and Filestore stand.

        Google chooses the range, outside of what the VPC has; it is not announced over links.
        """
        reserved = gcp.compute.GlobalAddress(
            "private-services",
            name=self._frame.name("services"),
            network=self.id,
            address_type="INTERNAL",
            purpose="VPC_PEERING",
            prefix_length=20,
            labels=self._frame.labels("network"),
            opts=self._child(),
        )
        peering: pulumi.Resource = gcp.servicenetworking.Connection(
            "private-services",
            network=self.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[reserved.name],
            opts=self._child(),
        )
        return peering
