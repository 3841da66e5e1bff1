"""What AWS holds for a site on premises."""

from __future__ import annotations

import json

import pytest

from rig.premises import GATEWAY, KEY, an_estate_on_premises, the_graph

ROUTER, CONNECTION = "aws:ec2/customerGateway:CustomerGateway", "aws:ec2/vpnConnection:VpnConnection"


def test_each_router_is_a_customer_gateway_with_the_sites_number() -> None:
    routers = the_graph(an_estate_on_premises()).of(ROUTER)
    assert [each.inputs["ipAddress"] for each in routers] == ["198.51.100.7", "198.51.100.8"]
    assert {each.inputs["bgpAsn"] for each in routers} == {"65010"}


def test_a_number_beyond_what_aws_calls_plain_goes_by_its_other_name() -> None:
    graph = the_graph(an_estate_on_premises(gateway={"address": "198.51.100.7", "asn": 4_200_000_001}))
    inputs = graph.one(ROUTER).inputs
    assert inputs["bgpAsnExtended"] == "4200000001"
    assert "bgpAsn" not in inputs


def test_two_tunnels_lead_to_each_router_and_carry_the_bmcs_network_only() -> None:
    graph = the_graph(an_estate_on_premises())
    connections = graph.of(CONNECTION)
    assert len(connections) == 2
    for each in connections:
        assert each.inputs["staticRoutesOnly"] is True
        assert each.inputs["localIpv4NetworkCidr"] == "10.99.0.0/24"
        assert {each.inputs[f"tunnel{n}StartupAction"] for n in (1, 2)} == {"start"}
    routes = graph.of("aws:ec2/vpnConnectionRoute:VpnConnectionRoute")
    assert [each.inputs["destinationCidrBlock"] for each in routes] == ["10.99.0.0/24"] * 2
    assert len(graph.outputs["outOfBand"]["tunnels"]) == 4


def test_a_tunnels_key_is_shown_nowhere() -> None:
    estate = an_estate_on_premises(gateway=GATEWAY | {"preshared_key": "env:OOB_KEY"})
    graph = the_graph(estate)
    assert graph.of(CONNECTION)[0].inputs["tunnel1PresharedKey"] == "[secret]"
    assert graph.outputs["outOfBand"]["tunnels"][0]["presharedKey"] == "[secret]"
    assert KEY not in graph.to_json()


def test_a_key_that_aws_makes_is_a_secret_as_well() -> None:
    tunnels = the_graph(an_estate_on_premises()).outputs["outOfBand"]["tunnels"]
    assert {each["presharedKey"] for each in tunnels} == {"[secret]"}


def test_the_way_in_has_no_way_to_the_internet() -> None:
    graph = the_graph(an_estate_on_premises())
    assert not graph.of("aws:ec2/internetGateway:InternetGateway")
    (table,) = graph.of("aws:ec2/routeTable:RouteTable")
    assert [route["cidrBlock"] for route in table.inputs["routes"]] == ["10.99.0.0/24"]
    assert "0.0.0.0/0" not in graph.to_json()
    zones = [each.inputs["availabilityZone"] for each in graph.of("aws:ec2/subnet:Subnet")]
    assert len(set(zones)) == 2


def test_a_jump_host_speaks_to_bmcs_alone() -> None:
    graph = the_graph(an_estate_on_premises())
    rules = graph.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    reached = {rule.inputs["cidrIpv4"] for rule in rules if "cidrIpv4" in rule.inputs}
    assert reached == {"10.99.0.0/24"}
    (template,) = graph.of("aws:ec2/launchTemplate:LaunchTemplate")
    assert template.inputs["metadataOptions"]["httpTokens"] == "required"


def test_images_are_versioned_locked_encrypted_and_private() -> None:
    graph = the_graph(an_estate_on_premises())
    bucket = graph.one("aws:s3/bucket:Bucket")
    assert bucket.inputs["objectLockEnabled"] is True
    assert bucket.protect
    assert graph.one("aws:kms/key:Key").protect
    versioning = graph.one("aws:s3/bucketVersioning:BucketVersioning").inputs
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}
    block = graph.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert {value for key, value in block.items() if key != "bucket"} == {True}


def test_an_image_is_written_once_and_nothing_travels_in_plain() -> None:
    graph = the_graph(an_estate_on_premises())
    policy = json.loads(graph.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    tls, once = policy["Statement"]
    assert {tls["Effect"], once["Effect"]} == {"Deny"}
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert once["Resource"] == "arn:aws:s3:::rig-north-images/images/*"
    assert once["Condition"]["Null"] == {"s3:if-none-match": "true"}


def test_old_versions_outlive_their_lock() -> None:
    graph = the_graph(an_estate_on_premises())
    lock = graph.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs
    rules = graph.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    kept = rules[0]["noncurrentVersionExpiration"]["noncurrentDays"]
    assert lock["rule"]["defaultRetention"]["days"] <= kept


def test_everything_that_can_be_tagged_says_whose_it_is() -> None:
    for each in the_graph(an_estate_on_premises()).resources:
        tags = each.inputs.get("tags")
        assert tags is None or tags["relight:site"] == "north", each.address


@pytest.mark.parametrize(
    ("left_out", "gone"),
    [("image_bucket", "aws:s3/bucket:Bucket"), ("out_of_band", CONNECTION)],
)
def test_what_is_not_declared_is_not_made(left_out: str, gone: str) -> None:
    assert not the_graph(an_estate_on_premises(**{left_out: None})).of(gone)


def test_a_site_without_out_of_band_network_still_has_its_routers() -> None:
    assert len(the_graph(an_estate_on_premises(out_of_band=None)).of(ROUTER)) == 2
