"""A site in one region of Google Cloud: network, keys, identity, cluster, GPU pools, cache and vault bucket.

One component a file, composed by `Site`. A site stands alone: what it must know of another (networks at the
far end of a link) it takes from the estate, never from the other's stack.

Of the project it expects that its APIs are on: compute, container, cloudkms, iam, storage,
servicenetworking, and file or lustre where there is a cache.

Billed while every pool is at 0: the GKE control plane and its system nodes, Cloud NAT (by the hour and
byte), the cache at its full size, active key versions, HA VPN tunnels of a link, and what is stored; and
reservations, at their full price, used or not.
"""

from relight.topology.google.provider import provider
from relight.topology.google.site import Site
from relight.topology.google.store import BucketArgs, VaultBucket

__all__ = ["BucketArgs", "Site", "VaultBucket", "provider"]
