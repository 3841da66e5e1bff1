"""Where buckets stand, and where their keys must: Cloud Storage takes keys of the bucket's own location only.

From Google's pages "Bucket locations", "Customer-managed encryption keys" and "Cloud KMS locations",
November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass

from relight.errors import UsageError

_TWO_AT_ONCE = ("asia1", "eur4", "eur5", "eur7", "eur8", "nam4")  # predefined pairs of regions
_WIDE = {"us": "us", "eu": "europe", "asia": "asia"}  # multi-regions of Storage, and of Cloud KMS
_EU = tuple(f"europe-{name}" for name in ("central2", "north1", "southwest1")) + tuple(
    f"europe-west{number}" for number in (1, 3, 4, 8, 9)
)
_US = (
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
)
_REGIONS_OF = {
    "US": _US,
    "EU": _EU,
    "ASIA": ("asia-east1", "asia-southeast1"),
    "AU": ("australia-southeast1", "australia-southeast2"),
    "CA": ("northamerica-northeast1", "northamerica-northeast2"),
    "DE": ("europe-west3", "europe-west10"),
    "IN": ("asia-south1", "asia-south2"),
    "IT": ("europe-west8", "europe-west12"),
}
"""Regions that may be paired freely, by the location that such a bucket has."""


@dataclass(frozen=True)
class Location:
    """Where a bucket stands; `regions` are the two that it was given, none where its name says it all."""

    name: str  # as Cloud Storage has it: "US", "NAM4", "US-CENTRAL1"
    key: str  # as Cloud KMS has it: "us", "nam4", "us-central1"
    regions: tuple[str, ...] = ()
    is_dual: bool = False  # in two regions: only these take turbo replication


def locate(declared: str) -> Location:
    """What the estate's location of a bucket means. Raise UsageError for regions that cannot be paired."""
    regions = tuple(declared.lower().split("+"))
    if len(regions) == 1:
        name = regions[0]
        return Location(name.upper(), _WIDE.get(name, name), is_dual=name in _TWO_AT_ONCE)
    if len(regions) == 2 and regions[0] != regions[1]:
        for name, members in _REGIONS_OF.items():
            if set(regions) <= set(members):
                key = _WIDE.get(name.lower(), name.lower())
                return Location(name, key, tuple(region.upper() for region in regions), is_dual=True)
    raise UsageError(
        f'Cloud Storage keeps no bucket in "{declared}"',
        f'write one region, two that are near as "us-central1+us-east1", or {", ".join(_TWO_AT_ONCE)}',
    )
