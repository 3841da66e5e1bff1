"""What a site has already: components build on these instead of making their own.

What is adopted is never changed by a stack, and never destroyed with it. Its owner keeps it.
"""

from __future__ import annotations

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier


class AwsAdopted(Frozen):
    """Parts of an AWS site that are there."""

    vpc: str | None = Field(default=None, pattern=r"^vpc-[0-9a-f]{8,17}$", description="its network")
    private_subnets: tuple[str, ...] = Field(default=(), description="of that VPC, one per zone, in order")
    cluster: str | None = Field(default=None, min_length=1, description="name of its EKS cluster")
    node_role: str | None = Field(default=None, min_length=1, description="ARN of the role of its nodes")
    node_groups: dict[Identifier, str] = Field(
        default={}, description="node group of that cluster by pool; the knob turns it, its owner keeps it"
    )
    key: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:kms:", description="ARN of a KMS key")
    transit_gateway: str | None = Field(default=None, pattern=r"^tgw-[0-9a-f]{8,17}$", description="its id")


class GoogleAdopted(Frozen):
    """Parts of a Google Cloud site that are there."""

    network: str | None = Field(default=None, min_length=1, description="name of its VPC network")
    subnetwork: str | None = Field(default=None, min_length=1, description="name of the nodes' subnetwork")
    router: str | None = Field(default=None, min_length=1, description="name of its cloud router, with NAT")
    cluster: str | None = Field(default=None, min_length=1, description="name of its GKE cluster")
    node_pools: dict[Identifier, str] = Field(
        default={}, description="node pool of that cluster by pool; the knob turns it, its owner keeps it"
    )
    key: str | None = Field(
        default=None, pattern=r"^projects/.+/cryptoKeys/.+$", description="name of a KMS crypto key, in full"
    )


class ClusterAdopted(Frozen):
    """Parts of a Kubernetes site that are there."""

    namespace: bool = Field(default=False, description="true: the namespace is there, and its owner keeps it")
    priority_classes: bool = Field(default=False, description="true: relight-high and relight-low are there")
