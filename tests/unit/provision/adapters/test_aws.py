"""AWS: what is told of capacity, what is found again, and what is said when AWS refuses.

moto has no capacity reservations, launch quotas or throttling, and ends no credentials: those answers are
botocore's Stubber's, which checks both sides against AWS's own model of the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi_aws
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable
from relight.estate import AwsCredentials, CloudPool, Rung
from relight.provision import PendingCreate
from relight.provision.adapters.aws import AwsCapacity, AwsClients, AwsFinder, AwsPoolSizes, finder
from relight.provision.adapters.aws.lookups import Tagged
from relight.provision.adapters.aws.pools import LONGEST_NODE_GROUP
from relight.topology.aws import places
from rig import aws

BLOCK = Rung(
    kind="capacity-block",
    id="cr-2",
    nodes=8,
    starts=datetime(2026, 12, 1, 11, 30, tzinfo=UTC),
    ends=datetime(2026, 12, 8, 11, 30, tzinfo=UTC),
)
RUNGS = (Rung(kind="reservation", id="cr-1", nodes=4), BLOCK, Rung(kind="on-demand", nodes=2))


def site(**more: Any) -> Any:
    pool = CloudPool(machine="p5.48xlarge", nodes=6, rungs=RUNGS, form="instances", image=aws.AMI)
    return aws.aws_site({"train": pool}, **more)


@pytest.fixture
def clients() -> Iterator[AwsClients]:
    with mock_aws():
        yield aws.aws_clients()


def capacity(clients: AwsClients, *, dry_run: bool = True) -> AwsCapacity:
    return AwsCapacity(aws.ESTATE, aws.SITE, site(), clients, dry_run=dry_run)


@pytest.mark.parametrize(
    ("answer", "nodes", "said"),
    [
        (aws.reservation(free=3), 3, "3 of 4"),
        (aws.reservation(free=9, total=9), 4, "9 of 9"),  # no more than the rung may give
        (aws.reservation(free=3, InstanceType="p4d.24xlarge"), 0, "p4d.24xlarge, not p5.48xlarge"),
        (aws.reservation(free=3, AvailabilityZone="us-east-1b"), 0, "us-east-1b, not us-east-1a"),
        (aws.reservation(free=3, ReservationType="capacity-block"), 0, "capacity-block, not default"),
        (aws.reservation(free=3, State="expired"), 0, "expired"),
        (aws.reservation(free=3, InstanceMatchCriteria="open"), 3, "others in the account may take them"),
    ],
)
def test_a_reservation_counts_only_if_it_fits_the_pool(
    clients: AwsClients, answer: dict[str, Any], nodes: int, said: str
) -> None:
    with Stubber(clients.client("ec2")) as ec2:
        ec2.add_response("describe_capacity_reservations", answer, {"CapacityReservationIds": ["cr-1"]})
        free = capacity(clients).free("train", "reservation")
    assert free.nodes == nodes
    assert said in free.reason


@pytest.mark.parametrize(("state", "nodes"), [("scheduled", 0), ("active", 4)])
def test_a_capacity_block_gives_nothing_before_it_starts_and_says_its_times(
    clients: AwsClients, state: str, nodes: int
) -> None:
    block = aws.reservation(
        free=4, ReservationType="capacity-block", State=state, StartDate=BLOCK.starts, EndDate=BLOCK.ends
    )
    with Stubber(clients.client("ec2")) as ec2:
        ec2.add_response("describe_capacity_reservations", block, {"CapacityReservationIds": ["cr-2"]})
        free = capacity(clients).free("train", "capacity-block")
    assert free.nodes == nodes
    assert "from 2026-12-01 11:30Z until 2026-12-08 11:30Z" in free.reason


def test_a_reservation_that_is_not_there_is_not_found(clients: AwsClients) -> None:
    with Stubber(clients.client("ec2")) as ec2:
        ec2.add_client_error(
            "describe_capacity_reservations", "InvalidCapacityReservationId.NotFound", http_status_code=400
        )
        with pytest.raises(NotFound):
            capacity(clients).free("train", "reservation")


def test_a_dry_run_says_whether_a_launch_is_permitted_and_launches_nothing(clients: AwsClients) -> None:
    free = capacity(clients).free("train", "on-demand")
    assert free.nodes is None
    assert "a launch is permitted" in free.reason
    assert not aws.client("ec2").describe_instances()["Reservations"]


def test_a_dry_run_that_is_denied_says_so_and_the_quota_is_only_a_note(clients: AwsClients) -> None:
    quota = {"Quota": {"QuotaCode": "L-417A185B", "Value": 384.0}}
    asked = {"ServiceCode": "ec2", "QuotaCode": "L-417A185B"}
    with Stubber(clients.client("ec2")) as ec2, Stubber(clients.client("service-quotas")) as quotas:
        ec2.add_response("describe_launch_templates", {"LaunchTemplates": []})
        ec2.add_client_error("run_instances", "UnauthorizedOperation", "You are not authorized.", 403)
        quotas.add_response("get_service_quota", quota, asked)
        free = capacity(clients).free("train", "on-demand")
    assert free.nodes is None
    assert "a launch is not permitted" in free.reason
    assert "384 vCPUs" in free.reason


@pytest.mark.parametrize(
    ("code", "status", "kind", "remedy"),
    [
        ("ExpiredToken", 400, Refused, "log in again"),
        ("UnauthorizedOperation", 403, Refused, "allow it"),
        ("RequestLimitExceeded", 503, Unreachable, "less often"),
        ("InternalError", 500, Unreachable, "health"),
        ("InvalidVpcID.NotFound", 400, NotFound, "stack"),
        ("ScalingActivityInProgress", 400, Conflict, "under way"),
        ("InvalidParameterValue", 400, Refused, "AWS wants"),
    ],
)
def test_each_refusal_has_its_kind_and_its_remedy(
    clients: AwsClients, code: str, status: int, kind: type[RelightError], remedy: str
) -> None:
    with Stubber(clients.client("ec2")) as ec2:
        ec2.add_client_error("describe_vpcs", code, "said", status)
        with pytest.raises(kind) as told:
            clients.call("ec2", "describe_vpcs")
    assert remedy in told.value.remedy
    assert type(told.value) is kind


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ({"environment": True}, "no credentials"),
        ({"profile": "nobody"}, "nobody"),
        ({"environment": True, "role": f"arn:aws:iam::{aws.ACCOUNT}:role/runner"}, "no credentials"),
    ],
)
def test_without_credentials_it_says_how_to_get_some(who: dict[str, Any], said: str) -> None:
    clients = AwsClients(aws.SITE, aws.REGION, AwsCredentials.model_validate(who))
    with pytest.raises(Refused, match=said) as told:
        clients.call("ec2", "describe_vpcs")
    assert told.value.remedy


def test_a_role_is_assumed_at_the_regions_own_sts(clients: AwsClients) -> None:
    role = f"arn:aws:iam::{aws.ACCOUNT}:role/runner"
    acting = aws.aws_clients(environment=True, role=role)
    assert acting.call("sts", "get_caller_identity")["Arn"].endswith("assumed-role/runner/relight")
    assert aws.REGION in acting.client("sts").meta.endpoint_url


def test_a_group_of_another_account_is_never_resized(clients: AwsClients) -> None:
    for rung in RUNGS:
        aws.make_scaling_group(rung.key, rung.nodes, aws.tags("train", rung.key))
    sizes = AwsPoolSizes(aws.ESTATE, aws.SITE, site(account="999999999999"), clients)
    with pytest.raises(Refused, match="999999999999"):
        sizes.resize("train", "reservation", 1)
    assert set(sizes.sizes("train").values()) == {0}


def test_two_groups_of_one_rung_are_a_conflict(clients: AwsClients) -> None:
    for name in ("one", "two"):
        aws.make_scaling_group(name, 4, aws.tags("train", "reservation"))
    with pytest.raises(Conflict, match="keep one"):
        AwsPoolSizes(aws.ESTATE, aws.SITE, site(), clients).sizes("train")


def node_groups(clients: AwsClients, **more: Any) -> AwsPoolSizes:
    pool = CloudPool(machine="p5.48xlarge", nodes=4, rungs=RUNGS[:1])
    return AwsPoolSizes(aws.ESTATE, aws.SITE, aws.aws_site({"train": pool}, **more), clients)


def test_an_adopted_node_group_is_the_whole_pool_whatever_its_tags(clients: AwsClients) -> None:
    aws.make_cluster("theirs")
    aws.make_node_group("theirs", "gpus", 4, {})
    sizes = node_groups(clients, adopt={"cluster": "theirs", "node_groups": {"train": "gpus"}})
    sizes.resize("train", "reservation", 3)
    assert sizes.sizes("train") == {"reservation": 3}


def test_a_node_group_of_our_name_without_our_tags_is_left_alone(clients: AwsClients) -> None:
    aws.make_cluster("acme-east")
    aws.make_node_group("acme-east", "train-reservation", 4, {})
    with pytest.raises(Refused, match="tags"):
        node_groups(clients).resize("train", "reservation", 1)


def test_names_that_are_too_long_are_cut_as_the_components_cut_them() -> None:
    assert LONGEST_NODE_GROUP == places.NODE_GROUP_NAME


@pytest.mark.parametrize("status", ["UPDATING", "CREATING"])
def test_a_node_group_that_is_being_changed_is_a_conflict(clients: AwsClients, status: str) -> None:
    described = {
        "nodegroupName": "train-reservation",
        "nodegroupArn": f"arn:aws:eks:us-east-1:{aws.ACCOUNT}:nodegroup/acme-east/train-reservation/1",
        "clusterName": "acme-east",
        "status": status,
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 0},
        "tags": aws.tags("train", "reservation"),
    }
    with Stubber(clients.client("eks")) as eks:
        asked = {"clusterName": "acme-east", "nodegroupName": "train-reservation"}
        eks.add_response("describe_nodegroup", {"nodegroup": described}, asked)
        with pytest.raises(Conflict, match=status.lower()):
            node_groups(clients).resize("train", "reservation", 1)


def sought(type_: str, **inputs: Any) -> PendingCreate:
    return PendingCreate(
        urn=f"urn::{type_}::x",
        type=type_,
        name="x",
        inputs=inputs,
        begun_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


TAGS = {"Name": "acme-east", "relight:site": "east"}


def make_vpc(tags: dict[str, str]) -> str:
    said = [{"ResourceType": "vpc", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
    made = aws.client("ec2").create_vpc(CidrBlock="10.16.0.0/16", TagSpecifications=said)
    return str(made["Vpc"]["VpcId"])


def test_what_was_created_is_found_by_all_its_tags(clients: AwsClients) -> None:
    looking, wanted = AwsFinder(clients), sought("aws:ec2/vpc:Vpc", cidrBlock="10.16.0.0/16", tags=TAGS)
    make_vpc({"Name": "acme-east"})
    assert looking.find(wanted) is None
    made = make_vpc(TAGS)
    assert looking.find(wanted) == made
    again = make_vpc(TAGS)
    with pytest.raises(Conflict, match="all fit"):
        looking.find(wanted)
    # Of a replacement the old one is there, too.
    assert looking.find(wanted.model_copy(update={"known": (made,)})) == again
    assert looking.find(wanted.model_copy(update={"known": (made, again)})) is None


def test_what_nothing_tells_from_its_like_is_not_guessed(clients: AwsClients) -> None:
    for type_, inputs in (
        ("aws:ec2/vpc:Vpc", {"tags": {"relight:site": "east"}}),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
        ("aws:kms/key:Key", {"tags": {"relight:site": "east"}}),
        ("aws:unheard/of:Thing", {"tags": TAGS}),
    ):
        with pytest.raises(RelightError, match=r"cannot be|no tag Name") as told:
            AwsFinder(clients).find(sought(type_, **inputs))
        assert "console" in told.value.remedy


def test_a_subnet_is_told_by_its_network_and_addresses(clients: AwsClients) -> None:
    vpc = make_vpc(TAGS)
    said = [{"ResourceType": "subnet", "Tags": [{"Key": "relight:site", "Value": "east"}]}]
    made = [
        aws.client("ec2").create_subnet(VpcId=vpc, CidrBlock=cidr, TagSpecifications=said)["Subnet"][
            "SubnetId"
        ]
        for cidr in ("10.16.0.0/20", "10.16.16.0/20")
    ]
    wanted = sought(
        "aws:ec2/subnet:Subnet", vpcId=vpc, cidrBlock="10.16.16.0/20", tags={"relight:site": "east"}
    )
    assert AwsFinder(clients).find(wanted) == made[1]


def test_what_has_a_name_is_found_by_it_and_by_no_other(clients: AwsClients) -> None:
    aws.make_scaling_group("train", 1, {})
    aws.make_cluster("acme-east")
    aws.make_node_group("acme-east", "gpus", 1, {})
    aws.client("s3").create_bucket(Bucket="acme-vault")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    aws.client("iam").create_role(RoleName="runner", AssumeRolePolicyDocument=trust)
    zone = aws.client("route53").create_hosted_zone(Name="acme.test.", CallerReference="1")["HostedZone"][
        "Id"
    ]
    template = aws.client("ec2").describe_launch_templates(LaunchTemplateNames=["train"])
    for type_, inputs, id_ in (
        ("aws:autoscaling/group:Group", {"name": "train"}, "train"),
        ("aws:eks/cluster:Cluster", {"name": "acme-east"}, "acme-east"),
        (
            "aws:eks/nodeGroup:NodeGroup",
            {"clusterName": "acme-east", "nodeGroupName": "gpus"},
            "acme-east:gpus",
        ),
        ("aws:s3/bucket:Bucket", {"bucket": "acme-vault"}, "acme-vault"),
        ("aws:iam/role:Role", {"name": "runner"}, "runner"),
        ("aws:route53/zone:Zone", {"name": "acme.test"}, zone.rpartition("/")[2]),
        (
            "aws:ec2/launchTemplate:LaunchTemplate",
            {"name": "train"},
            template["LaunchTemplates"][0]["LaunchTemplateId"],
        ),
    ):
        looking = AwsFinder(clients)
        assert looking.find(sought(type_, **inputs)) == id_
        absent = {key: f"{value}-not" for key, value in inputs.items()}
        assert looking.find(sought(type_, **absent)) is None


def test_keys_and_file_systems_are_found_by_their_tags(clients: AwsClients) -> None:
    said = [{"TagKey": k, "TagValue": v} for k, v in TAGS.items()]
    key = aws.client("kms").create_key(Tags=said)["KeyMetadata"]["KeyId"]
    system = aws.client("fsx").create_file_system(
        FileSystemType="LUSTRE",
        StorageCapacity=1200,
        SubnetIds=["subnet-0123456789abcdef0"],
        Tags=[{"Key": k, "Value": v} for k, v in TAGS.items()],
    )["FileSystem"]["FileSystemId"]
    looking = AwsFinder(clients)
    assert looking.find(sought("aws:kms/key:Key", tags=TAGS)) == key
    assert looking.find(sought("aws:fsx/lustreFileSystem:LustreFileSystem", tags=TAGS)) == system
    other = {**TAGS, "Name": "other"}
    assert looking.find(sought("aws:kms/key:Key", tags=other)) is None
    assert looking.find(sought("aws:fsx/lustreFileSystem:LustreFileSystem", tags=other)) is None


def test_a_route_and_an_association_are_found_by_their_table(clients: AwsClients) -> None:
    ec2, vpc = aws.client("ec2"), make_vpc(TAGS)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.16.0.0/20")["Subnet"]["SubnetId"]
    to = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0"}
    route = sought("aws:ec2/route:Route", **to)
    joined = sought(
        "aws:ec2/routeTableAssociation:RouteTableAssociation", routeTableId=table, subnetId=subnet
    )
    looking = AwsFinder(clients)
    assert looking.find(route) is None
    assert looking.find(joined) is None
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    assert looking.find(route) == f"{table}_0.0.0.0/0"
    assert looking.find(joined) == f"{subnet}/{table}"


def test_a_routing_control_is_looked_up_where_its_control_plane_stands(clients: AwsClients) -> None:
    panel = "arn:aws:route53-recovery-control::123456789012:controlpanel/1"
    control = {"Name": "east", "RoutingControlArn": f"{panel}/routingcontrol/2", "ControlPanelArn": panel}
    recovery = clients.client("route53-recovery-control-config")
    assert recovery.meta.region_name == "us-west-2"
    wanted = sought(
        "aws:route53recoverycontrol/routingControl:RoutingControl", name="east", controlPanelArn=panel
    )
    with Stubber(recovery) as stub:
        stub.add_response("list_routing_controls", {"RoutingControls": [control]}, {"ControlPanelArn": panel})
        assert AwsFinder(clients).find(wanted) == f"{panel}/routingcontrol/2"


def tagged() -> dict[str, Tagged]:
    return {type_: look for type_, look in finder._LOOKS.items() if isinstance(look, Tagged)}


@pytest.mark.parametrize("type_", tagged())
def test_what_lists_a_tagged_resource_is_a_call_that_aws_has(clients: AwsClients, type_: str) -> None:
    look = tagged()[type_]
    ec2 = clients.client("ec2")
    model = ec2.meta.service_model.operation_model(ec2.meta.method_to_api_mapping[look.operation])
    assert look.filters in model.input_shape.members
    listed = model.output_shape.members[look.key].member
    if look.operation == "describe_instances":
        listed = listed.members["Instances"].member
    assert look.id in listed.members
    assert "Tags" in listed.members


def test_every_type_is_one_that_the_sdk_has() -> None:
    for type_ in finder._LOOKS.keys() | finder._REPEATABLE:
        _, module, name = type_.split(":")
        declared = getattr(getattr(pulumi_aws, module.partition("/")[0]), name)
        assert declared.pulumi_type == type_


def test_what_is_put_and_not_created_is_never_looked_for(clients: AwsClients) -> None:
    policy = sought("aws:s3/bucketPolicy:BucketPolicy", bucket="acme-vault")
    assert AwsFinder(clients).find(policy) is None
