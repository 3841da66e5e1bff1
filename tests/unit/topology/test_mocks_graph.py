"""The graph of a program under mocks: everything that it declared, the same every time."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest

from relight.topology.graph import Graph, run_under_mocks
from relight.topology.mocks import UnknownCall

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"


class Site(pulumi.ComponentResource):
    """A network with one subnet a zone, of a provider of its own."""

    def __init__(self, name: str) -> None:
        super().__init__("relight:test:Site", name)
        provider = aws.Provider(f"{name}-aws", region="eu-west-1", opts=pulumi.ResourceOptions(parent=self))
        own = pulumi.ResourceOptions(parent=self, provider=provider)
        zones = aws.get_availability_zones(opts=pulumi.InvokeOptions(provider=provider)).names
        network = aws.ec2.Vpc(f"{name}-net", cidr_block="10.0.0.0/16", opts=own)
        for zone in zones:
            aws.ec2.Subnet(f"{name}-{zone}", vpc_id=network.id, cidr_block="10.0.0.0/24", opts=own)
        self.register_outputs({"network": network.id})
        pulumi.export("network", network.arn)


def site() -> Graph:
    return run_under_mocks(lambda: Site("south"))


def test_a_graph_is_the_same_every_time() -> None:
    assert site().to_json() == site().to_json()


def test_children_name_their_component_and_their_provider() -> None:
    network = site().one(VPC)
    assert network.parent == "relight:test:Site::south"
    assert network.provider == "south-aws"
    assert not network.component


def test_what_a_value_came_from_is_depended_on() -> None:
    assert [subnet.depends_on for subnet in site().of(SUBNET)] == [(f"{VPC}::south-net",)] * 3


def test_urns_are_the_engines_own() -> None:
    assert site().one(VPC).urn == "urn:pulumi:south::relight::relight:test:Site$aws:ec2/vpc:Vpc::south-net"


def test_a_cloud_answers_for_the_region_of_the_provider() -> None:
    graph = site()
    assert graph.outputs["network"].startswith("arn:aws:ec2:eu-west-1:")
    assert [subnet.name for subnet in graph.of(SUBNET)] == [f"south-eu-west-1{letter}" for letter in "abc"]


def test_options_are_recorded_where_they_were_given() -> None:
    def program() -> None:
        first = aws.s3.Bucket("first", opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True))
        aws.s3.Bucket(
            "second",
            opts=pulumi.ResourceOptions(
                depends_on=[first],
                deleted_with=first,
                ignore_changes=["tags"],
                delete_before_replace=True,
                replace_on_changes=["bucket"],
                custom_timeouts=pulumi.CustomTimeouts(create="30m"),
                aliases=[pulumi.Alias(name="former")],
            ),
        )

    first, second = run_under_mocks(program).resources
    assert first.protect
    assert first.options == {"retain_on_delete": True}
    assert second.depends_on == ("aws:s3/bucket:Bucket::first",)
    assert dict(second.options) == {
        "aliases": ["former"],
        "custom_timeouts": {"create": "30m"},
        "delete_before_replace": True,
        "deleted_with": "aws:s3/bucket:Bucket::first",
        "ignore_changes": ["tags"],
        "replace_on_changes": ["bucket"],
    }


def test_a_secret_is_never_shown() -> None:
    def program() -> None:
        aws.ssm.Parameter("key", type="SecureString", value=pulumi.Output.secret("hush"))
        pulumi.export("key", pulumi.Output.secret("hush"))
        pulumi.export("length", pulumi.Output.secret("hush").apply(len))

    graph = run_under_mocks(program)
    assert "hush" not in graph.to_json()
    assert graph.outputs == {"key": "[secret]", "length": "[secret]"}


def test_whole_numbers_stay_whole() -> None:
    graph = run_under_mocks(lambda: aws.autoscaling.Group("gpu", min_size=0, max_size=4))
    assert repr(graph.one("aws:autoscaling/group:Group").inputs["maxSize"]) == "4"


def test_policies_are_readable_in_a_golden() -> None:
    def program() -> None:
        aws.iam.Policy("run", policy=json.dumps({"Version": "2012-10-17", "Statement": []}))

    policy = run_under_mocks(program).to_dict()["resources"][0]["inputs"]["policy"]
    assert policy == {"(json)": {"Version": "2012-10-17", "Statement": []}}


def test_what_is_only_read_is_told_apart() -> None:
    adopted = run_under_mocks(lambda: aws.ec2.Vpc.get("net", "vpc-0a")).one(VPC)
    assert adopted.looked_up == "vpc-0a"


def test_a_resource_passed_whole_arrives_as_its_id() -> None:
    def program() -> None:
        aws.s3.BucketObjectv2("image", bucket=aws.s3.Bucket("images"), source=pulumi.StringAsset("bytes"))

    image = run_under_mocks(program).one("aws:s3/bucketObjectv2:BucketObjectv2")
    assert image.inputs == {"bucket": "images-id", "source": {"asset": "bytes"}}


def test_an_error_of_the_program_comes_out_as_it_is() -> None:
    class Broken(Exception):
        pass

    def program() -> None:
        aws.ec2.Vpc("net", cidr_block="10.0.0.0/16")
        raise Broken

    with pytest.raises(Broken):
        run_under_mocks(program)


def test_an_error_inside_an_apply_comes_out_too() -> None:
    def program() -> None:
        network = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16")
        pulumi.export("first", network.arn.apply(lambda arn: arn.nothing))

    with pytest.raises(AttributeError):
        run_under_mocks(program)


@pytest.mark.parametrize("given_as_output", [False, True])
def test_a_function_that_nobody_answers_is_named(given_as_output: bool) -> None:
    def program() -> Any:
        if given_as_output:
            pulumi.export("x", aws.ec2.get_spot_price_output(instance_type="p5.48xlarge").spot_price)
            return None
        return aws.ec2.get_spot_price(instance_type="p5.48xlarge").spot_price

    with pytest.raises(UnknownCall, match="aws:ec2/getSpotPrice:getSpotPrice"):
        run_under_mocks(program)


def test_calls_are_on_the_graph() -> None:
    graph = run_under_mocks(aws.get_caller_identity)
    assert [call.token for call in graph.calls] == ["aws:index/getCallerIdentity:getCallerIdentity"]


def test_outputs_of_another_stack_are_what_the_test_says() -> None:
    def program() -> None:
        north = pulumi.StackReference("organization/relight/north")
        pulumi.export("peer", north.require_output("network"))

    known = {"organization/relight/north": {"network": "vpc-north"}}
    assert run_under_mocks(program, references=known).outputs == {"peer": "vpc-north"}
    with pytest.raises(UnknownCall, match="organization/relight/north"):
        run_under_mocks(program)


def test_two_resources_of_one_name_are_a_fault() -> None:
    def program() -> None:
        aws.ec2.Vpc("net", cidr_block="10.0.0.0/16")
        aws.ec2.Vpc("net", cidr_block="10.1.0.0/16")

    graph = run_under_mocks(program, strict=False)
    assert [str(fault) for fault in graph.faults[f"{VPC}::net"]] == [
        "is declared twice under the same parent"
    ]


def test_a_type_of_an_sdk_that_nobody_imported_is_a_fault() -> None:
    program = lambda: pulumi.CustomResource("azure-native:network:VirtualNetwork", "net", {})  # noqa: E731
    graph = run_under_mocks(program, strict=False)
    assert "no imported SDK knows" in str(next(iter(graph.faults.values()))[0])


def test_warnings_are_on_the_graph() -> None:
    graph = run_under_mocks(lambda: pulumi.log.warn("this is deprecated"))
    assert graph.messages == ("this is deprecated",)
    assert graph.to_dict()["messages"] == ["this is deprecated"]


def test_a_program_may_wait_for_something() -> None:
    async def program() -> None:
        await asyncio.sleep(0)
        pulumi.export("x", 1)

    assert run_under_mocks(program).outputs == {"x": 1}


def test_config_and_names_are_those_of_the_run_alone() -> None:
    def program() -> None:
        pulumi.export("estate", pulumi.Config("relight").get("estate"))
        pulumi.export("stack", pulumi.get_stack())

    first = run_under_mocks(program, stack="north", config={"relight:estate": "estate.yaml"})
    assert first.outputs == {"estate": "estate.yaml", "stack": "north"}
    assert run_under_mocks(program).outputs["stack"] == "south"
    assert "estate" not in run_under_mocks(program).outputs


def test_a_run_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    site()
    assert threading.active_count() == before


def test_all_three_sdks_fit_in_one_program() -> None:
    def program() -> None:
        Site("south")
        gcp.compute.Network("north", auto_create_subnetworks=False)
        space = kubernetes.core.v1.Namespace("serve")
        pulumi.export("name", space.metadata["name"])

    assert run_under_mocks(program).outputs["name"] == "serve"


def test_three_hundred_resources_are_checked_within_two_seconds() -> None:
    def program() -> None:
        for each in range(300):
            aws.ec2.LaunchTemplate(
                f"gpu-{each}",
                block_device_mappings=[{"device_name": "/dev/xvda", "ebs": {"volume_size": 100}}],
                network_interfaces=[{"device_index": 0, "interface_type": "efa"}] * 8,
                tags={"site": "south"},
            )

    run_under_mocks(lambda: aws.ec2.LaunchTemplate("warm"))  # the SDK's import is not counted
    began = time.process_time()  # on a busy machine the wall clock says little
    assert len(run_under_mocks(program).resources) == 300
    assert time.process_time() - began < 2
