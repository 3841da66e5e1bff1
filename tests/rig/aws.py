"""Pools of a site as moto has them, and what moto lacks.

moto's EKS makes no Auto Scaling group behind a node group, and changing the one never changes the other: here
the group is made by hand, under the name that moto gives. It has no capacity reservations at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from relight.estate import AwsCredentials, AwsSite, CloudPool
from relight.provision.adapters.aws import AwsClients

ACCOUNT, REGION, ZONES = "123456789012", "us-east-1", ("us-east-1a", "us-east-1b")
ESTATE, SITE = "acme", "east"
AMI = "ami-12c6146b"  # one that moto has


def aws_site(pools: Mapping[str, CloudPool], **more: Any) -> AwsSite:
    return AwsSite.model_validate(
        {
            "kind": "aws",
            "store": "vault",
            "probes": {"compute": "https://east.test/"},
            "account": ACCOUNT,
            "region": REGION,
            "zones": ZONES,
            "cidr": "10.16.0.0/16",
            "credentials": {"environment": True},
            "pools": {name: pool.model_dump() for name, pool in pools.items()},
            **more,
        }
    )


@cache
def client(service: str) -> Any:
    """A client for making what a test needs: slow to make, and good for every moto after another."""
    return boto3.client(service, REGION)


@cache
def aws_clients(endpoint: str | None = None, **credentials: Any) -> AwsClients:
    who = AwsCredentials.model_validate(credentials or {"environment": True})
    return AwsClients(SITE, REGION, who, account=ACCOUNT, endpoint=endpoint)


def tags(pool: str, rung: str) -> dict[str, str]:
    return {"relight:estate": ESTATE, "relight:site": SITE, "relight:pool": pool, "relight:rung": rung}


def make_scaling_group(name: str, most: int, said: Mapping[str, str], zone: str = ZONES[0]) -> None:
    """An Auto Scaling group with no instance in it."""
    ec2, scaling = client("ec2"), client("autoscaling")
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": AMI, "InstanceType": "p5.48xlarge"}
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=most,
        DesiredCapacity=0,
        AvailabilityZones=[zone],
        LaunchTemplate={"LaunchTemplateName": name},
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in said.items()],
    )


def make_cluster(name: str) -> None:
    client("eks").create_cluster(name=name, roleArn=f"arn:aws:iam::{ACCOUNT}:role/c", resourcesVpcConfig={})


def make_node_group(cluster: str, name: str, most: int, said: Mapping[str, str]) -> None:
    """A managed node group with no node in it, and the Auto Scaling group that EKS would make."""
    made = client("eks").create_nodegroup(
        clusterName=cluster,
        nodegroupName=name,
        scalingConfig={"minSize": 0, "maxSize": most, "desiredSize": 0},
        subnets=["subnet-1"],
        nodeRole=f"arn:aws:iam::{ACCOUNT}:role/n",
        tags=dict(said),
    )["nodegroup"]
    make_scaling_group(made["resources"]["autoScalingGroups"][0]["name"], most, {})


def bring_nodes_up(cluster: str, name: str) -> None:
    """What EKS does in time: its Auto Scaling group gets the size of the node group."""
    described = client("eks").describe_nodegroup(clusterName=cluster, nodegroupName=name)
    group = described["nodegroup"]
    client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=group["resources"]["autoScalingGroups"][0]["name"],
        DesiredCapacity=group["scalingConfig"]["desiredSize"],
    )


def reservation(free: int, total: int = 4, **other: Any) -> dict[str, Any]:
    """What describe_capacity_reservations answers of one reservation."""
    described = {
        "CapacityReservationId": "cr-1",
        "InstanceType": "p5.48xlarge",
        "AvailabilityZone": ZONES[0],
        "State": "active",
        "TotalInstanceCount": total,
        "AvailableInstanceCount": free,
        "InstanceMatchCriteria": "targeted",
        "ReservationType": "default",
    }
    return {"CapacityReservations": [described | other]}
