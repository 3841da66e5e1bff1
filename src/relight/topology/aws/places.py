"""Where something of AWS stands, and what it is called from there: partitions, ARNs, names that fit.

Names are built from the estate alone, so that one site can name what another has without asking it.
"""

from __future__ import annotations

from dataclasses import dataclass

from relight.errors import UsageError
from relight.estate import AwsAccount, AwsSite, Estate, MetalSite
from relight.topology.frame import Frame

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
_DOMAINS = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}

ROLE_NAME = 64  # the most characters of an IAM role's name (IAM quotas)
NODE_GROUP_NAME = 63  # of an EKS managed node group's (EKS API)
TEMPLATE_NAME = 128  # of a launch template's (EC2 API)


@dataclass(frozen=True)
class Place:
    """An account in a region."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The part of AWS that the region belongs to: "aws", "aws-cn", …"""
        found = (name for prefix, name in _PARTITIONS.items() if self.region.startswith(prefix))
        return next(found, "aws")

    def service(self, name: str) -> str:
        """The principal of a service, as policies name it."""
        domain = _DOMAINS.get(self.partition, "amazonaws.com")
        if name == "ec2" and self.partition == "aws-cn":
            return f"ec2.{domain}"
        return f"logs.{self.region}.{domain}" if name == "logs" else f"{name}.amazonaws.com"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something regional."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def iam(self, resource: str) -> str:
        """The ARN of something of IAM: "role/NAME", "root"."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def managed_policy(self, name: str) -> str:
        """The ARN of a policy that AWS keeps."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def bucket(self, name: str) -> str:
        """The ARN of a bucket."""
        return f"arn:{self.partition}:s3:::{name}"


def place_of(where: AwsSite | AwsAccount) -> Place:
    """The account and region of a site, or of what stands outside of all sites."""
    return Place(where.account, where.region)


def account_of(estate: Estate, stack: str) -> AwsSite | AwsAccount | None:
    """Where a stack stands in AWS; None: elsewhere, or nowhere.

    That of a site on premises is the cloud that holds its way in, that of anything but a site what is
    outside.
    """
    here = estate.sites.get(stack)
    if isinstance(here, AwsSite):
        return here
    if isinstance(here, MetalSite):
        return here.cloud if isinstance(here.cloud, AwsAccount) else None
    outside = estate.stacks.outside if estate.stacks and here is None else None
    return outside if isinstance(outside, AwsAccount) else None


def stack_account(frame: Frame) -> AwsSite | AwsAccount:
    """Where the stack stands: its site, or for the global stack what the estate calls outside.

    Raise UsageError where that is not AWS.
    """
    found = account_of(frame.estate, frame.stack)
    if found is not None:
        return found
    raise UsageError(
        f'the stack "{frame.stack}" does not stand in AWS', "declare a site of kind aws, or stacks.outside"
    )
