"""Ways to the services of AWS that stay inside the network.

Services are named as in the commercial regions; in China some begin with "cn.": adopt a VPC there.

Billed while asleep: every interface endpoint by the hour, in every zone; the one of S3 is free.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame

INTERFACES = (
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "fsx",
    "kms",
    "logs",
    "sts",
)


@dataclass(frozen=True)
class EndpointsArgs:
    """Where they stand, and the group that guards them; `lean`: only the free one."""

    frame: Frame
    region: str
    vpc: pulumi.Input[str]
    subnets: list[pulumi.Input[str]]
    tables: list[pulumi.Input[str]]
    guard: pulumi.Input[str]
    lean: bool = False


class Endpoints(pulumi.ComponentResource):
    """A gateway endpoint for S3, interface endpoints for the rest, with the services' own names in DNS."""

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Endpoints", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        aws.ec2.VpcEndpoint(
            "s3",
            vpc_id=args.vpc,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=args.tables,
            tags=args.frame.tags("network", args.frame.name("s3")),
            opts=here,
        )
        for service in () if args.lean else INTERFACES:
            aws.ec2.VpcEndpoint(
                service.replace(".", "-"),
                vpc_id=args.vpc,
                service_name=f"com.amazonaws.{args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=args.subnets,
                security_group_ids=[args.guard],
                tags=args.frame.tags("network", args.frame.name(service)),
                opts=here,
            )
        self.register_outputs({})
