"""What a link declares, for each pair of ends, as a graph."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pulumi
import pytest

from relight.errors import UsageError
from relight.topology.frame import Frame
from relight.topology.graph import Graph, run_under_mocks
from relight.topology.links import LinkArgs, LinkStack
from relight.topology.policy import violations
from rig.linked import GATEWAY, SITES, a_linked_estate, aws_site, link

AWS_CONNECTION = "aws:ec2/vpnConnection:VpnConnection"
TUNNEL = "gcp:compute/vPNTunnel:VPNTunnel"
PEER = "gcp:compute/routerPeer:RouterPeer"
PLANTED = "plantedKey.1"
OUTPUTS: dict[str, dict[str, Any]] = {
    "organization/relight/north": {"transitGateway": "tgw-north"},
    "organization/relight/south": {"transitGateway": "tgw-south"},
    **{
        f"organization/relight/{site}": {
            "network": f"network-of-{site}",
            "router": f"router-of-{site}",
            "vpnGateway": f"gateway-of-{site}",
        }
        for site in ("east", "west")
    },
}


def graph_of(first: str, second: str, sites: dict[str, Any] | None = None, **more: Any) -> Graph:
    estate = a_linked_estate(sites=sites or {}, links={"bridge": link(first, second, **more)})
    frame = Frame(estate, "bridge", lambda reference: PLANTED)

    def program() -> None:
        for name, value in LinkStack("bridge", LinkArgs(frame, "bridge")).outputs.items():
            pulumi.export(name, value)

    graph = run_under_mocks(program, stack="bridge", references=OUTPUTS)
    assert violations(graph, estate, "bridge") == ()
    return graph


def count(graph: Graph) -> Counter[str]:
    return Counter(resource.type.split(":")[-1] for resource in graph.resources)


def test_two_regions_of_aws_are_peered_with_a_static_route_each_way() -> None:
    graph = graph_of("north", "south")
    attachment = graph.one("aws:ec2transitgateway/peeringAttachment:PeeringAttachment")
    assert attachment.inputs["peerRegion"] == "eu-south-1"
    assert attachment.inputs["transitGatewayId"] == "tgw-north"
    routes = graph.of("aws:ec2transitgateway/route:Route")
    assert {(r.provider, r.inputs["destinationCidrBlock"]) for r in routes} == {
        ("aws-north", "10.32.0.0/16"),
        ("aws-south", "10.16.0.0/16"),
    }
    assert graph.outputs["tunnels"] == 0
    assert graph.outputs["mtu"] == 8500


def test_a_route_of_a_peering_waits_until_the_other_side_accepted() -> None:
    graph = graph_of("north", "south")
    accepter = graph.one("aws:ec2transitgateway/peeringAttachmentAccepter:PeeringAttachmentAccepter")
    routes = graph.of("aws:ec2transitgateway/route:Route")
    assert all(accepter.address in route.depends_on for route in routes)


def test_aws_and_premises_have_a_connection_to_each_router() -> None:
    graph = graph_of("north", "hall")
    gateways = graph.of("aws:ec2/customerGateway:CustomerGateway")
    assert {gateway.inputs["ipAddress"] for gateway in gateways} == {"198.51.100.1", "198.51.100.2"}
    assert {gateway.inputs["bgpAsn"] for gateway in gateways} == {"65001"}
    connections = graph.of(AWS_CONNECTION)
    assert len({connection.inputs["customerGatewayId"] for connection in connections}) == 2
    assert not any(connection.inputs["staticRoutesOnly"] for connection in connections)
    assert graph.outputs["diverse"] is True


def test_a_single_router_is_said_to_have_no_spare() -> None:
    alone = SITES["hall"] | {"gateway": {key: GATEWAY[key] for key in ("address", "asn")}}
    graph = graph_of("north", "hall", {"hall": alone})
    assert graph.outputs["diverse"] is False
    assert len(graph.of(AWS_CONNECTION)) == 2


def test_a_long_as_number_goes_where_aws_takes_it() -> None:
    far = SITES["hall"] | {"gateway": GATEWAY | {"asn": 4_200_000_001}}
    gateway = graph_of("north", "hall", {"hall": far}).of("aws:ec2/customerGateway:CustomerGateway")[0]
    assert gateway.inputs["bgpAsnExtended"] == "4200000001"
    assert "bgpAsn" not in gateway.inputs


def test_more_bandwidth_makes_more_connections_in_turn_over_both_routers() -> None:
    graph = graph_of("north", "hall", bandwidth="5Gbit/s")
    connections = graph.of(AWS_CONNECTION)
    assert graph.outputs["tunnels"] == 8
    assert sorted(Counter(c.inputs["customerGatewayId"] for c in connections).values()) == [2, 2]


def test_aws_and_google_cloud_have_four_tunnels_over_both_interfaces() -> None:
    graph = graph_of("east", "north")
    tunnels = graph.of(TUNNEL)
    assert sorted(tunnel.inputs["vpnGatewayInterface"] for tunnel in tunnels) == [0, 0, 1, 1]
    assert sorted(tunnel.inputs["peerExternalGatewayInterface"] for tunnel in tunnels) == [0, 1, 2, 3]
    foreign = graph.one("gcp:compute/externalVpnGateway:ExternalVpnGateway")
    assert foreign.inputs["redundancyType"] == "FOUR_IPS_REDUNDANCY"
    assert {c.inputs["transitGatewayId"] for c in graph.of(AWS_CONNECTION)} == {"tgw-north"}


def test_bgp_speaks_to_the_address_that_aws_has_inside_the_same_tunnel() -> None:
    graph = graph_of("north", "east")
    cidrs = graph.outputs["insideCidrs"]
    of_aws = [
        connection.inputs[f"tunnel{at}InsideCidr"] for connection in graph.of(AWS_CONNECTION) for at in (1, 2)
    ]
    assert of_aws == cidrs
    peers = [peer.inputs["peerIpAddress"] for peer in graph.of(PEER)]
    assert peers == [_first(cidr) for cidr in cidrs]
    assert {peer.inputs["peerAsn"] for peer in graph.of(PEER)} == {64601}


def _first(cidr: str) -> str:
    head, _, last = cidr.removesuffix("/30").rpartition(".")
    return f"{head}.{int(last) + 1}"


def test_two_regions_of_google_cloud_meet_interface_to_interface() -> None:
    graph = graph_of("east", "west", preshared_key="env:KEY", bandwidth="2Gbit/s")
    made = count(graph)
    assert (made["VPNTunnel"], made["RouterPeer"], graph.outputs["tunnels"]) == (8, 8, 4)
    own = [gateway for gateway in graph.of("gcp:compute/haVpnGateway:HaVpnGateway") if not gateway.looked_up]
    assert {gateway.provider for gateway in own} == {"google-east", "google-west"}


def test_google_cloud_and_premises_meet_at_both_routers() -> None:
    graph = graph_of("east", "hall", preshared_key="env:KEY")
    foreign = graph.one("gcp:compute/externalVpnGateway:ExternalVpnGateway")
    assert foreign.inputs["redundancyType"] == "TWO_IPS_REDUNDANCY"
    assert [tunnel.inputs["peerExternalGatewayInterface"] for tunnel in graph.of(TUNNEL)] == [0, 1]


@pytest.mark.parametrize(
    ("first", "second"), [("north", "east"), ("east", "west"), ("east", "hall"), ("north", "hall")]
)
def test_a_planted_key_is_nowhere_in_plain_text(first: str, second: str) -> None:
    text = graph_of(first, second, preshared_key="env:KEY").to_json()
    assert PLANTED not in text
    assert "[secret]" in text


def test_what_is_set_apart_for_replication_is_told_to_whoever_sends() -> None:
    outputs = graph_of("north", "east", bandwidth="4Gbit/s", replication="2500Mbit/s").outputs
    assert outputs["replicationBytesPerSecond"] == 312_500_000
    assert outputs["replicationFlows"] == 2
    assert (outputs["mtu"], outputs["mss"]) == (1406, 1366)


@pytest.mark.parametrize(
    ("first", "second", "more", "says"),
    [
        ("east", "west", {}, "nobody makes the tunnels' key"),
        ("north", "hall", {"bandwidth": "40Gbit/s"}, "need 64 tunnels"),
        ("north", "north", {}, "joins a site with itself"),
        ("hall", "cellar", {}, "no end of it is in a cloud"),
        ("north", "twin", {}, "both ends have the AS number 64601"),
        ("north", "public", {}, "3320 is not a private AS number"),
        ("north", "nowhere", {}, 'there is no site "nowhere"'),
        ("north", "mute", {}, "mute has no gateway"),
        ("north", "east", {"replication": "2Gbit/s"}, "more is set apart for replication"),
    ],
)
def test_what_cannot_be_joined_is_refused_before_anything_is_registered(
    first: str, second: str, more: dict[str, Any], says: str
) -> None:
    sites = {
        "cellar": SITES["hall"] | {"gateway": GATEWAY | {"asn": 65002}, "networks": ["10.129.0.0/16"]},
        "twin": aws_site("eu-west-3", "10.48.0.0/16", 64601),
        "public": aws_site("eu-west-3", "10.48.0.0/16", 3320),
        "mute": {key: value for key, value in SITES["hall"].items() if key != "gateway"},
    }
    with pytest.raises(UsageError, match=says) as raised:
        graph_of(first, second, sites, **more)
    assert not isinstance(raised.value, LookupError)


def test_a_link_that_nobody_declared_is_refused_with_those_that_are() -> None:
    estate = a_linked_estate(links={"bridge": link("north", "south")})
    with pytest.raises(UsageError, match=r'no link "tunnel".*bridge'):
        run_under_mocks(lambda: LinkStack("tunnel", LinkArgs(Frame(estate, "tunnel"), "tunnel")))


def test_a_key_that_aws_would_refuse_is_refused_without_being_shown() -> None:
    estate = a_linked_estate(links={"bridge": link("north", "east", preshared_key="env:KEY")})
    frame = Frame(estate, "bridge", lambda reference: "0short!")
    with pytest.raises(UsageError, match="env:KEY is no key") as raised:
        run_under_mocks(lambda: LinkStack("bridge", LinkArgs(frame, "bridge")))
    assert "0short!" not in str(raised.value)


def test_names_of_any_length_fit_the_cloud_and_stay_apart() -> None:
    long = "a-link-with-a-name-of-forty-letters-long"
    estate = a_linked_estate(
        name="an-estate-with-a-name-of-forty-letters-x",
        links={long: link("east", "hall", preshared_key="env:KEY")},
    )
    frame = Frame(estate, long, lambda reference: PLANTED)
    graph = run_under_mocks(lambda: LinkStack(long, LinkArgs(frame, long)), stack=long, references=OUTPUTS)
    names = [tunnel.inputs["name"] for tunnel in graph.of(TUNNEL)]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)
