"""A site in one region of AWS: network, keys, identity, cluster, pools of GPU nodes, cache and vault bucket.

One component a file, composed by `Site`. A site stands alone: what it must know of another (a bucket that
it copies to, a network at the far end of a link) it takes from the estate, never from the other's stack.

Billed while every pool is at 0: the NAT gateways, interface endpoints, EKS control plane, FSx, KMS keys,
transit gateway attachment and what is stored; and capacity reservations and blocks, at their full price,
used or not.
"""

from relight.topology.aws.provider import provider
from relight.topology.aws.site import Site
from relight.topology.aws.store import BucketArgs, VaultBucket

__all__ = ["BucketArgs", "Site", "VaultBucket", "provider"]
