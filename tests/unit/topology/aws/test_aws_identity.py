"""Who may do what: exactly what is needed, on exactly this site's things, whatever else is dark."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.estate import fit_name
from relight.topology.aws.places import Place
from relight.topology.graph import Graph
from rig.aws_sites import ACCOUNT, IMAGE, a_pool, an_aws_estate, declare

SPOT = [{"kind": "spot", "nodes": 8}]


@pytest.fixture(scope="module")
def west() -> Graph:
    pools = {"train": a_pool(rungs=SPOT), "batch": a_pool(rungs=SPOT, form="instances", image=IMAGE)}
    return declare(an_aws_estate(west={"pools": pools}, east={"account": "444455556666"}), "west")


def statements(graph: Graph, name: str) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(
        graph.one("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"]
    )["Statement"]
    return said


def trusted(graph: Graph, role: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(graph.one("aws:iam/role:Role", role).inputs["assumeRolePolicy"])[
        "Statement"
    ][0]
    return found


def test_the_runner_sizes_exactly_the_groups_of_its_site(west: Graph) -> None:
    sizing = {
        action: statement["Resource"]
        for statement in statements(west, "runner")
        for action in statement["Action"]
        if action in ("autoscaling:SetDesiredCapacity", "eks:UpdateNodegroupConfig")
    }
    assert sizing == {
        "autoscaling:SetDesiredCapacity": [
            f"arn:aws:autoscaling:us-west-2:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/rig-west-batch-spot"
        ],
        "eks:UpdateNodegroupConfig": [f"arn:aws:eks:us-west-2:{ACCOUNT}:nodegroup/rig-west/train-spot/*"],
    }
    groups = {group.inputs["name"] for group in west.of("aws:autoscaling/group:Group")}
    assert groups == {"rig-west-batch-spot"}
    assert {group.inputs["nodeGroupName"] for group in west.of("aws:eks/nodeGroup:NodeGroup")} == {
        "train-spot"
    }


def test_everything_is_allowed_on_named_things_but_looking(west: Graph) -> None:
    for name in ("runner", "workload", "machine"):
        for statement in statements(west, name):
            if "*" in statement["Resource"]:
                verbs = {action.partition(":")[2] for action in statement["Action"]}
                assert all(verb.startswith(("Describe", "Get")) for verb in verbs)
                assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}


@pytest.mark.parametrize("role", ["runner", "workload", "machine"])
@pytest.mark.parametrize(
    "action",
    [
        "s3:DeleteObjectVersion",
        "s3:BypassGovernanceRetention",
        "s3:PutBucketPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:DisableKey",
        "iam:PassRole",
        "ec2:RunInstances",
        "ec2:TerminateInstances",
        "eks:DeleteNodegroup",
        "autoscaling:DeleteAutoScalingGroup",
    ],
)
def test_no_role_can_destroy_or_become_more(west: Graph, role: str, action: str) -> None:
    allowed = [pattern for statement in statements(west, role) for pattern in statement["Action"]]
    assert not any(fnmatch(action, pattern) for pattern in allowed)


def test_the_runner_is_reached_from_every_account_of_the_estate_and_no_other(west: Graph) -> None:
    said = trusted(west, "runner")
    assert said["Principal"] == {"AWS": [f"arn:aws:iam::{a}:root" for a in (ACCOUNT, "444455556666")]}
    assert said["Action"] == ["sts:AssumeRole"]


def test_the_runner_reaches_the_witness_and_its_key_by_the_declared_name(west: Graph) -> None:
    said = statements(west, "runner")
    assert any("arn:aws:s3:::points-witness/*" in each["Resource"] for each in said)
    (key,) = [each for each in said if each["Resource"] == [f"arn:aws:kms:eu-north-1:{ACCOUNT}:key/*"]]
    assert key["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/rig-global-witness"}
    }


def test_adopted_node_groups_need_no_role_for_nodes() -> None:
    adopt = {"cluster": "theirs", "node_groups": {"train": "their-gpus"}}
    graph = declare(an_aws_estate(west={"adopt": adopt, "pools": {"train": a_pool(rungs=SPOT)}}), "west")
    assert {role.name for role in graph.of("aws:iam/role:Role")} == {"runner", "west-copies"}
    sizing = [
        s["Resource"] for s in statements(graph, "runner") if "eks:UpdateNodegroupConfig" in s["Action"]
    ]
    assert sizing == [[f"arn:aws:eks:us-west-2:{ACCOUNT}:nodegroup/theirs/their-gpus/*"]]


def test_each_service_becomes_its_own_role_only(west: Graph) -> None:
    assert {
        role: trusted(west, role)["Principal"] for role in ("control", "node", "machine", "workload")
    } == {
        "control": {"Service": "eks.amazonaws.com"},
        "node": {"Service": "ec2.amazonaws.com"},
        "machine": {"Service": "ec2.amazonaws.com"},
        "workload": {"Service": "pods.eks.amazonaws.com"},
    }


def test_nodes_of_the_cluster_cannot_read_the_vault_but_workloads_can(west: Graph) -> None:
    buckets = [r for s in statements(west, "workload") for r in s["Resource"] if r.startswith("arn:aws:s3")]
    assert set(buckets) == {"arn:aws:s3:::points-west", "arn:aws:s3:::points-west/*"}
    assert "node" not in {policy.name for policy in west.of("aws:iam/rolePolicy:RolePolicy")}


def test_the_key_is_of_many_regions_turned_and_governed_by_its_account(west: Graph) -> None:
    key = west.one("aws:kms/key:Key").inputs
    assert key["multiRegion"] is True
    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30
    account, *others = json.loads(key["policy"])["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    for statement in others:
        assert statement["Condition"]
        if statement["Principal"] == {"AWS": "*"}:
            assert statement["Condition"]["StringEquals"] == {"kms:CallerAccount": ACCOUNT}
            assert statement["Condition"]["ArnLike"] == {
                "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"
            }


def test_no_key_or_role_rests_on_another_region(west: Graph) -> None:
    policies = [
        each.inputs["policy"]
        for each in west.of("aws:iam/rolePolicy:RolePolicy")
        if "copies" not in each.name
    ]
    for text in [*policies, west.one("aws:kms/key:Key").inputs["policy"]]:
        assert "us-east-1" not in text


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-west-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_arns_are_of_the_partition_of_their_region(region: str, partition: str) -> None:
    assert Place(ACCOUNT, region).iam("root") == f"arn:{partition}:iam::{ACCOUNT}:root"


@given(st.text(st.sampled_from("abc-"), min_size=1, max_size=200), st.integers(16, 64))
def test_a_name_that_fits_is_kept_and_a_longer_one_is_cut_to_fit(name: str, most: int) -> None:
    assert len(fit_name(name, most)) <= most
    assert (fit_name(name, most) == name) == (len(name) <= most)


def test_two_long_names_with_one_start_stay_two() -> None:
    assert fit_name("a" * 80 + "1", 64) != fit_name("a" * 80 + "2", 64)
