"""A program that declares something wrong is stopped before any cloud sees it, at whatever depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest

from relight.topology.arguments import InvalidDeclaration
from relight.topology.graph import run_under_mocks


def faults(program: Callable[[], Any]) -> list[str]:
    """What is wrong with the one resource of a program, in words."""
    with pytest.raises(InvalidDeclaration) as caught:
        run_under_mocks(program)
    return [reason.what for reason in caught.value.reasons]


def template(**arguments: Any) -> Callable[[], Any]:
    return lambda: aws.ec2.LaunchTemplate("gpu", **arguments)


def volume(**arguments: Any) -> Callable[[], Any]:
    return template(block_device_mappings=[{"device_name": "/dev/xvda", "ebs": arguments}])


def node_pool(**arguments: Any) -> Callable[[], Any]:
    return lambda: gcp.container.NodePool("gpu", cluster="south", **arguments)


def deployment(container: Any = None, **spec: Any) -> Callable[[], Any]:
    pods = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container or {"name": "x"}]}}
    whole = {"selector": {"match_labels": {"app": "x"}}, "template": pods} | spec
    return lambda: kubernetes.apps.v1.Deployment("serve", spec=whole)


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "aws: text for a number, three levels down": (
        volume(volume_size="100"),
        "blockDeviceMappings[0].ebs.volumeSize: wants a whole number, got text '100'",
    ),
    "aws: the same in classes of arguments": (
        template(
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(volume_size="100")
                )
            ]
        ),
        "blockDeviceMappings[0].ebs.volumeSize: wants a whole number, got text '100'",
    ),
    "aws: a key misspelt": (
        volume(volume_sise=100),
        "blockDeviceMappings[0].ebs.volume_sise: no such key; is volumeSize meant?",
    ),
    "aws: true is no number": (volume(volume_size=True), "wants a whole number, got true"),
    "aws: a fraction is no whole number": (volume(volume_size=1.5), "got the number 1.5"),
    "aws: one is not true": (template(disable_api_stop=1), "disableApiStop: wants true or false, got"),
    "aws: a number is no text": (template(image_id=5), "imageId: wants text, got the whole number 5"),
    "aws: a list for one text": (template(image_id=["ami"]), "image_id: Unexpected type. Expected 'list'"),
    "aws: a mapping for a list": (
        template(block_device_mappings={"device_name": "/dev/xvda"}),
        "blockDeviceMappings: wants a list, got a mapping",
    ),
    "aws: a list for a mapping": (
        lambda: aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", tags=["a"]),
        "tags",
    ),
    "aws: a tag that is no text": (
        lambda: aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", tags={"nodes": 5}),
        "tags['nodes']: wants text, got the whole number 5",
    ),
    "aws: a required key of a block is missing": (
        lambda: aws.autoscaling.Group("gpu", min_size=0, max_size=1, tags=[{"key": "a", "value": "b"}]),
        "tags[0].propagateAtLaunch: is missing",
    ),
    "aws: a value that its enum lacks": (
        lambda: aws.ec2.PlacementGroup("gpu", strategy="clustered"),
        "strategy: wants one of spread, cluster, partition, got text 'clustered'",
    ),
    "aws: a record of no type": (
        lambda: aws.route53.Record("www", zone_id="z", name="www", type="ANAME", ttl=60, records=["x"]),
        "got text 'ANAME'",
    ),
    "aws: a setting of a provider, under a name that is not translated": (
        lambda: aws.Provider(
            "north", region="eu-west-1", assume_roles=[{"role_arn": "arn:aws:iam::1:role/r"}]
        ),
        "assumeRoles[0].role_arn: no such key; is roleArn meant?",
    ),
    "aws: a tag of a provider that is no text": (
        lambda: aws.Provider("north", default_tags={"tags": {"nodes": 5}}),
        "defaultTags.tags['nodes']: wants text",
    ),
    "aws: a filter of a function, misspelt": (
        lambda: aws.ec2.get_ami(filters=[{"name": "state", "value": ["available"]}]),
        "filters[0].value: no such key; is values meant?",
    ),
    "gcp: text for a number": (
        node_pool(node_config={"guest_accelerators": [{"type": "nvidia-h100-80gb", "count": "8"}]}),
        "nodeConfig.guestAccelerators[0].count: wants a whole number, got text '8'",
    ),
    "gcp: the same in classes of arguments": (
        node_pool(autoscaling=gcp.container.NodePoolAutoscalingArgs(max_node_count="8")),
        "autoscaling.maxNodeCount: wants a whole number, got text '8'",
    ),
    "gcp: a key that does not exist": (
        node_pool(placement_policy={"type": "COMPACT", "topology": "2x2"}),
        "placementPolicy.topology: no such key",
    ),
    "gcp: a required key is missing": (
        node_pool(placement_policy={"policy_name": "near"}),
        "placementPolicy.type: is missing",
    ),
    "gcp: text for true": (
        lambda: gcp.compute.Network("net", auto_create_subnetworks="false"),
        "autoCreateSubnetworks: wants true or false, got text 'false'",
    ),
    "gcp: a list for one block": (
        node_pool(placement_policy=[{"type": "COMPACT"}]),
        "placement_policy: Unexpected type",
    ),
    "kubernetes: text for a number": (deployment(replicas="3"), "spec.replicas: wants a whole number"),
    "kubernetes: a key misspelt, five levels down": (
        deployment({"name": "x", "ports": [{"container_prot": 80}]}),
        "spec.template.spec.containers[0].ports[0].container_prot: no such key; is containerPort meant?",
    ),
    "kubernetes: a required key, five levels down": (
        deployment({"name": "x", "ports": [{"name": "http"}]}),
        "spec.template.spec.containers[0].ports[0].containerPort: is missing",
    ),
    "kubernetes: the same in classes of arguments": (
        deployment(kubernetes.core.v1.ContainerArgs(name="x", image=7)),
        "containers[0].image: wants text, got the whole number 7",
    ),
    "kubernetes: a service of no type": (
        lambda: kubernetes.core.v1.Service("serve", spec={"type": "LoadBalanser"}),
        "spec.type: wants one of",
    ),
    "kubernetes: neither number nor text": (
        lambda: kubernetes.core.v1.Service("serve", spec={"ports": [{"port": 80, "target_port": True}]}),
        "spec.ports[0].targetPort: wants a whole number or text, got true",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_path(mistake: str) -> None:
    program, said = MISTAKES[mistake]
    found = faults(program)
    assert any(said in fault for fault in found), found


RIGHT: dict[str, Callable[[], Any]] = {
    "aws: blocks as dictionaries": volume(volume_size=100, volume_type="gp3", encrypted="true"),
    "aws: wire names": volume(volumeSize=100),
    "aws: a block in classes": template(placement=aws.ec2.LaunchTemplatePlacementArgs(tenancy="default")),
    "aws: an instance type newer than the SDK": lambda: aws.ec2.Instance("x", instance_type="p9.48xlarge"),
    "aws: a strategy that the SDK's own enum lacks": lambda: aws.ec2.PlacementGroup(
        "x", strategy="partition"
    ),
    "aws: a policy as a document": lambda: aws.iam.Role(
        "runner", assume_role_policy={"Version": "2012-10-17", "Statement": []}
    ),
    "aws: a number that is a whole one": volume(volume_size=100.0),
    "aws: a provider": lambda: aws.Provider(
        "north", region="eu-west-1", skip_region_validation=True, default_tags={"tags": {"site": "north"}}
    ),
    "aws: a resource read by its id": lambda: aws.ec2.Vpc.get("adopted", "vpc-0a"),
    "gcp: nested blocks": node_pool(
        node_config={"guest_accelerators": [{"type": "nvidia-h100-80gb", "count": 8}], "spot": True},
        placement_policy={"type": "COMPACT"},
    ),
    "gcp: a provider": lambda: gcp.Provider("north", project="p", region="us-central1"),
    "kubernetes: a deployment": deployment({"name": "x", "ports": [{"container_port": 80}]}, replicas=0),
    "kubernetes: number or text": lambda: kubernetes.core.v1.Service(
        "serve", spec={"ports": [{"port": 80, "target_port": 80}, {"port": 81, "target_port": "http"}]}
    ),
    "kubernetes: a resource of the cluster's own": lambda: kubernetes.apiextensions.CustomResource(
        "queue", api_version="kueue.x-k8s.io/v1beta1", kind="ClusterQueue", spec={"cohort": "all"}
    ),
}


@pytest.mark.parametrize("declaration", RIGHT)
def test_what_the_sdk_takes_passes(declaration: str) -> None:
    assert run_under_mocks(RIGHT[declaration]).faults == {}


def test_every_fault_of_every_resource_is_named_at_once() -> None:
    def program() -> None:
        volume(volume_size="1", iops="2")()
        aws.ec2.PlacementGroup("near", strategy="clustered")

    assert len(faults(program)) == 3


def test_a_fault_in_a_secret_does_not_tell_it() -> None:
    def program() -> None:
        hush = pulumi.Output.secret({"volume_size": "hush", "hushed": 1})
        template(block_device_mappings=[{"ebs": hush}])()

    with pytest.raises(InvalidDeclaration) as caught:
        run_under_mocks(program)
    assert "volumeSize: wants a whole number, got a secret" in str(caught.value)
    assert "'hush'" not in str(caught.value)


def test_a_value_that_pulumi_itself_refuses_is_not_quoted() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        run_under_mocks(template(image_id=["hush"]))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "program",
    [
        lambda: aws.ec2.Vpc("net", cidr="10.0.0.0/16"),
        lambda: aws.ec2.Subnet("net", cidr_block="10.0.0.0/24"),
        lambda: kubernetes.apps.v1.Deployment("serve", spek={}),
        lambda: gcp.container.NodePool("gpu"),
    ],
    ids=["aws: unknown", "aws: missing", "kubernetes: unknown", "gcp: missing"],
)
def test_what_python_refuses_comes_out_as_it_is(program: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        run_under_mocks(program)
