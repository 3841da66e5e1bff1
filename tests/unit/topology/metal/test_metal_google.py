"""What Google Cloud holds for a site on premises."""

from __future__ import annotations

from relight.estate import Estate
from rig.premises import GATEWAY, KEY, on_google, the_graph

TUNNEL, PEER = "gcp:compute/vPNTunnel:VPNTunnel", "gcp:compute/routerPeer:RouterPeer"
FIREWALL = "gcp:compute/firewall:Firewall"


def with_one_router() -> Estate:
    gateway = {"address": "198.51.100.7", "asn": 64514, "preshared_key": "env:OOB_KEY"}
    return on_google(gateway=gateway)


def test_two_routers_are_two_interfaces_of_one_gateway() -> None:
    gateway = the_graph(on_google()).one("gcp:compute/externalVpnGateway:ExternalVpnGateway").inputs
    assert gateway["redundancyType"] == "TWO_IPS_REDUNDANCY"
    assert [each["ipAddress"] for each in gateway["interfaces"]] == ["198.51.100.7", "198.51.100.8"]


def test_tunnels_leave_by_both_interfaces_and_reach_both_routers() -> None:
    tunnels = the_graph(on_google()).of(TUNNEL)
    ends = [(t.inputs["vpnGatewayInterface"], t.inputs["peerExternalGatewayInterface"]) for t in tunnels]
    assert ends == [(0, 0), (1, 1)]


def test_one_router_is_reached_over_both_interfaces() -> None:
    graph = the_graph(with_one_router())
    assert [t.inputs["peerExternalGatewayInterface"] for t in graph.of(TUNNEL)] == [0, 0]
    gateway = graph.one("gcp:compute/externalVpnGateway:ExternalVpnGateway").inputs
    assert gateway["redundancyType"] == "SINGLE_IP_INTERNALLY_REDUNDANT"


def test_both_ends_of_a_session_never_have_the_same_number() -> None:
    graph = the_graph(with_one_router())
    own = graph.one("gcp:compute/router:Router").inputs["bgp"]["asn"]
    assert {peer.inputs["peerAsn"] for peer in graph.of(PEER)} == {64514}
    assert own != 64514


def test_the_site_learns_of_the_access_network_only() -> None:
    bgp = the_graph(on_google()).one("gcp:compute/router:Router").inputs["bgp"]
    assert bgp["advertiseMode"] == "CUSTOM"
    assert [each["range"] for each in bgp["advertisedIpRanges"]] == ["100.64.0.0/27"]


def test_a_tunnels_key_is_shown_nowhere() -> None:
    graph = the_graph(on_google())
    assert {each.inputs["sharedSecret"] for each in graph.of(TUNNEL)} == {"[secret]"}
    assert {each["presharedKey"] for each in graph.outputs["outOfBand"]["tunnels"]} == {"[secret]"}
    assert KEY not in graph.to_json()


def test_only_the_proxy_comes_in_and_only_bmcs_are_reached() -> None:
    rules = {each.name: each.inputs for each in the_graph(on_google()).of(FIREWALL)}
    came_in = [range_ for rule in rules.values() for range_ in rule.get("sourceRanges", [])]
    assert came_in == ["35.235.240.0/20"]
    assert rules["bmcs"]["destinationRanges"] == ["10.99.0.0/24"]
    assert rules["nothing-else"]["denies"] == [{"protocol": "all"}]
    assert rules["bmcs"]["priority"] < rules["nothing-else"]["priority"]


def test_images_are_versioned_encrypted_and_private() -> None:
    graph = the_graph(on_google())
    bucket = graph.one("gcp:storage/bucket:Bucket")
    assert bucket.inputs["versioning"] == {"enabled": True}
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert bucket.inputs["uniformBucketLevelAccess"] is True
    assert bucket.inputs["encryption"]["defaultKmsKeyName"]
    assert bucket.protect
    assert graph.one("gcp:kms/cryptoKey:CryptoKey").protect
    assert "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember::images" in bucket.depends_on


def test_a_bucket_with_versions_has_no_retention_policy() -> None:
    assert "retentionPolicy" not in the_graph(on_google()).one("gcp:storage/bucket:Bucket").inputs


def test_what_is_not_declared_is_not_made() -> None:
    graph = the_graph(on_google(out_of_band=None, image_bucket=None, gateway=GATEWAY))
    made = {each.type for each in graph.resources if each.type.startswith("gcp:")}
    assert made == {"gcp:compute/externalVpnGateway:ExternalVpnGateway"}
