"""A whole site: network, who may speak to whom, cluster, cache, links; and what is adopted instead."""

from __future__ import annotations

from typing import Any

import pytest

from relight.topology.aws.site import is_lean
from relight.topology.graph import Graph, Resource
from rig.aws_sites import ACCOUNT, IMAGE, a_pool, an_aws_estate, declare

LINK = {"between": ["east", "west"], "bandwidth": "1GB/s", "replication": "100MB/s"}
CACHE = {"kind": "fsx-lustre", "gib": 4800, "mb_per_second_per_tib": 1000}
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
HOURLY = {  # what costs by the hour although nothing runs
    "aws:ec2/natGateway:NatGateway",
    "aws:eks/cluster:Cluster",
    "aws:ec2/eip:Eip",
    "aws:fsx/lustreFileSystem:LustreFileSystem",
}


@pytest.fixture(scope="module")
def whole() -> Graph:
    """With everything a site may have."""
    return declare(an_aws_estate(west={"cache": CACHE}, links={"ew": LINK}), "west")


@pytest.fixture(scope="module")
def adopting() -> Graph:
    """On what is there already."""
    adopt = {
        "vpc": "vpc-0123456789abcdef0",
        "private_subnets": ["subnet-a", "subnet-b", "subnet-c"],
        "cluster": "theirs",
        "node_role": f"arn:aws:iam::{ACCOUNT}:role/their-nodes",
        "key": f"arn:aws:kms:us-west-2:{ACCOUNT}:key/theirs",
        "transit_gateway": "tgw-0123456789abcdef0",
    }
    return declare(an_aws_estate(west={"adopt": adopt, "cache": CACHE}, links={"ew": LINK}), "west")


def rules(graph: Graph, kind: str, group: str) -> list[Resource]:
    return [rule for rule in graph.of(kind) if rule.inputs["securityGroupId"] == f"{group}-id"]


def custom(graph: Graph) -> list[Resource]:
    return [each for each in graph.resources if each.type.startswith("aws:") and not each.looked_up]


def test_everything_goes_through_one_provider_pinned_to_account_and_region(whole: Graph) -> None:
    assert {each.provider for each in custom(whole)} == {"aws"}
    settings = whole.one("pulumi:providers:aws").inputs
    assert ACCOUNT in str(settings["allowedAccountIds"])
    assert settings["region"] == settings["stsRegion"] == "us-west-2"
    assert "role/provision" in str(settings["assumeRoles"])


def test_every_resource_that_can_carry_tags_says_whose_it_is(whole: Graph) -> None:
    untagged = {
        each.type
        for each in custom(whole)
        if not {"relight:estate", "relight:site", "relight:owner", "relight:class"}
        <= (each.inputs.get("tags") or {}).keys()
    }
    assert untagged == {
        "aws:ec2/route:Route",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/alias:Alias",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
    }


def test_what_holds_data_is_protected(whole: Graph) -> None:
    assert {each.type for each in whole.resources if each.protect} == {
        "aws:fsx/lustreFileSystem:LustreFileSystem",
        "aws:kms/key:Key",
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
    }


def test_every_child_stands_under_a_component(whole: Graph) -> None:
    assert all(each.parent.startswith("relight:aws:") for each in custom(whole))


def test_each_zone_has_its_own_way_out(whole: Graph) -> None:
    ways = {
        route.inputs["routeTableId"]: route.inputs["natGatewayId"]
        for route in whole.of("aws:ec2/route:Route")
        if "natGatewayId" in route.inputs
    }
    assert ways == {f"private-us-west-2{zone}-id": f"nat-us-west-2{zone}-id" for zone in "abc"}
    assert not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in whole.of("aws:ec2/subnet:Subnet"))


def test_nothing_is_let_in_from_the_world(whole: Graph) -> None:
    known = {"10.16.0.0/16", "10.32.0.0/16", None}
    assert {rule.inputs.get("cidrIpv4") for rule in whole.of(INGRESS)} <= known
    assert whole.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs.get("ingress") is None


def test_nodes_may_send_each_other_everything_both_ways_as_efa_wants(whole: Graph) -> None:
    for kind in (INGRESS, EGRESS):
        to_itself = [
            rule
            for rule in rules(whole, kind, "nodes")
            if rule.inputs.get("referencedSecurityGroupId") == "nodes-id"
        ]
        assert [rule.inputs["ipProtocol"] for rule in to_itself] == ["-1"]


def test_the_cache_speaks_lustre_with_the_site_and_everything_with_itself(whole: Graph) -> None:
    let_in = rules(whole, INGRESS, "cache")
    ports = {(rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in let_in if "fromPort" in rule.inputs}
    assert ports == {(988, 988), (1018, 1023)}
    assert {rule.inputs.get("referencedSecurityGroupId") for rule in rules(whole, EGRESS, "cache")} == {
        "cache-id",
        "nodes-id",
    }


def test_the_cache_is_filled_from_the_bucket_and_waits_for_its_rules(whole: Graph) -> None:
    files = whole.one("aws:fsx/lustreFileSystem:LustreFileSystem")
    said = {
        key: files.inputs[key] for key in ("deploymentType", "storageCapacity", "perUnitStorageThroughput")
    }
    assert said == {
        "deploymentType": "PERSISTENT_2",
        "storageCapacity": 4800,
        "perUnitStorageThroughput": 1000,
    }
    assert files.inputs["kmsKeyId"]
    assert "efaEnabled" not in files.inputs
    assert f"{INGRESS}::cache-itself-in" in files.depends_on
    source = whole.one("aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation").inputs
    assert source["dataRepositoryPath"] == "s3://points-west"
    assert source["s3"] == {"autoImportPolicy": {"events": ["NEW", "CHANGED", "DELETED"]}}


def test_a_cache_over_efa_is_declared_so() -> None:
    graph = declare(an_aws_estate(west={"cache": CACHE | {"efa": True}}), "west")
    assert graph.one("aws:fsx/lustreFileSystem:LustreFileSystem").inputs["efaEnabled"] is True


def test_the_cluster_is_private_sealed_and_logged(whole: Graph) -> None:
    cluster = whole.one("aws:eks/cluster:Cluster").inputs
    assert cluster["name"] == "rig-west"  # what reads sizes from the cloud looks for it by this name
    assert cluster["vpcConfig"]["endpointPrivateAccess"] is True
    assert cluster["vpcConfig"]["endpointPublicAccess"] is False
    assert cluster["encryptionConfig"]["resources"] == ["secrets"]
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    assert len(cluster["enabledClusterLogTypes"]) == 5
    logs = whole.one("aws:cloudwatch/logGroup:LogGroup").inputs
    assert logs["name"] == "/aws/eks/rig-west/cluster"
    assert logs["kmsKeyId"]


def test_no_add_on_waits_for_a_node(whole: Graph) -> None:
    """CoreDNS and CSI drivers have pods of their own: without nodes an update would wait for them."""
    addons = {addon.inputs["addonName"] for addon in whole.of("aws:eks/addon:Addon")}
    assert addons == {"eks-pod-identity-agent", "kube-proxy", "vpc-cni"}


def test_a_link_brings_a_gateway_and_routes_to_the_far_network(whole: Graph) -> None:
    assert whole.one("aws:ec2transitgateway/transitGateway:TransitGateway").inputs["amazonSideAsn"] == 64512
    assert whole.outputs["transitGateway"] == "transit-id"
    routes = [
        route.inputs["destinationCidrBlock"]
        for route in whole.of("aws:ec2/route:Route")
        if "transitGatewayId" in route.inputs
    ]
    assert routes == ["10.16.0.0/16"] * 3


def test_without_a_link_there_is_no_gateway() -> None:
    graph = declare(an_aws_estate(), "west")
    assert not [each for each in graph.resources if "transitgateway" in each.type]
    assert "transitGateway" not in graph.outputs


def test_nothing_of_the_other_site_is_read(whole: Graph) -> None:
    assert not whole.of("pulumi:pulumi:StackReference")
    assert not whole.calls


def test_what_is_adopted_is_built_upon_and_not_made(adopting: Graph) -> None:
    made = {each.type for each in custom(adopting)}
    assert not made & {
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ec2/route:Route",
        "aws:ec2transitgateway/transitGateway:TransitGateway",
        "aws:eks/cluster:Cluster",
        "aws:eks/addon:Addon",
        "aws:eks/accessEntry:AccessEntry",
        "aws:kms/key:Key",
        "aws:kms/alias:Alias",
    }
    assert [each.looked_up for each in adopting.resources if each.looked_up] == ["theirs"]


def test_new_groups_stand_in_what_is_adopted(adopting: Graph) -> None:
    group = adopting.one("aws:eks/nodeGroup:NodeGroup", "train-on-demand").inputs
    assert group["clusterName"] == "theirs"
    assert group["subnetIds"] == ["subnet-a"]
    assert group["nodeRoleArn"].endswith("role/their-nodes")
    assert "version" not in group  # their cluster's own
    attachment = adopting.one("aws:ec2transitgateway/vpcAttachment:VpcAttachment").inputs
    assert attachment["transitGatewayId"] == "tgw-0123456789abcdef0"
    assert adopting.outputs["transitGateway"] == "tgw-0123456789abcdef0"
    sealed = adopting.one("aws:fsx/lustreFileSystem:LustreFileSystem").inputs["kmsKeyId"]
    assert sealed.endswith("key/theirs")


def test_nothing_is_attached_to_an_adopted_role(adopting: Graph) -> None:
    roles = {each.inputs["role"] for each in adopting.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")}
    assert roles == set()
    assert {role.name for role in adopting.of("aws:iam/role:Role")} == {"runner", "west-copies"}


@pytest.mark.parametrize("form", ["cluster", "instances"])
def test_only_machines_that_work_bursts_into_cost_nothing_by_the_hour_while_asleep(form: str) -> None:
    pool: dict[str, Any] = a_pool(form=form, image=IMAGE, rungs=[{"kind": "spot", "nodes": 8}])
    topology = {"kind": "cloud-burst", "primary": "east", "ladder": ["west"]}
    estate = an_aws_estate(west={"pools": {"train": pool}}, topology=topology)
    graph = declare(estate, "west")
    billed = {each.type for each in graph.resources} & HOURLY
    interfaces = [
        each
        for each in graph.of("aws:ec2/vpcEndpoint:VpcEndpoint")
        if each.inputs["vpcEndpointType"] == "Interface"
    ]
    assert bool(billed or interfaces) == (form == "cluster")
    assert graph.one("aws:ec2/vpcEndpoint:VpcEndpoint", "s3").inputs["vpcEndpointType"] == "Gateway"
    assert is_lean(estate, "west", estate.sites["west"]) == (form == "instances")  # type: ignore[arg-type]


def test_a_site_of_a_newer_region_is_not_refused_by_the_provider() -> None:
    stacks = {"backend": "s3://elsewhere", "owner": "oncall", "newer_regions": ["us-west-2"]}
    graph = declare(an_aws_estate(stacks=stacks), "west")
    assert graph.one("pulumi:providers:aws").inputs["skipRegionValidation"] in (True, "true")
