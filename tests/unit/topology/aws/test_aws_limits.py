"""Bad input is told at once and all together, before anything is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from relight.errors import UsageError
from relight.estate import Estate
from relight.topology.aws.limits import require_buildable
from relight.topology.frame import Frame
from rig.aws_sites import BLOCK, a_pool, a_store, an_aws_estate, declare, sized

LINK = {"between": ["east", "west"], "bandwidth": "1GB/s", "replication": "100MB/s"}
SPOT = [{"kind": "spot", "nodes": 8}]


def why_not(estate: Estate, sizes: Mapping[str, Mapping[str, int]] | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        require_buildable(Frame(estate, "west"), sized(estate, "west") if sizes is None else sizes)
    return str(caught.value)


def pooled(**pool: Any) -> Estate:
    return an_aws_estate(west={"pools": {"train": a_pool(**pool)}})


ESTATES: dict[str, tuple[Estate, str]] = {
    "a network too small": (an_aws_estate(west={"cidr": "10.0.0.0/24"}), "write a /16 to /20"),
    "a zone of another region": (
        an_aws_estate(west={"zones": ["us-east-1a", "us-west-2b"]}),
        "us-east-1a is no zone of us-west-2",
    ),
    "more nodes than addresses": (
        an_aws_estate(
            west={"cidr": "10.0.0.0/20", "pools": {"t": a_pool(rungs=[{"kind": "spot", "nodes": 600}])}}
        ),
        "has 507 addresses",
    ),
    "too few adopted subnets": (
        an_aws_estate(west={"adopt": {"vpc": "vpc-0123456789abcdef0", "private_subnets": ["subnet-1"]}}),
        "1 adopted subnets for 3 zones",
    ),
    "subnets without their network": (
        an_aws_estate(west={"adopt": {"private_subnets": ["subnet-1"]}}),
        "subnets without their VPC",
    ),
    "a public number for a transit gateway": (
        an_aws_estate(west={"asn": 7224}, links={"ew": LINK}),
        "a transit gateway cannot have the number 7224",
    ),
    "a machine of another cloud": (pooled(machine="a3-highgpu-8g"), "is no machine of AWS"),
    "a zone that the site has not": (pooled(zone="us-west-2d"), "us-west-2d is no zone of the site"),
    "machines without an image": (pooled(form="instances"), "machines start from an image"),
    "an image by another name": (pooled(image="ubuntu-24.04"), "ubuntu-24.04 is no image of EC2"),
    "a cluster kept warm": (pooled(warm=2), "can be kept warm"),
    "spot kept warm": (
        pooled(warm=2, form="instances", image="ami-0123456789abcdef0", rungs=SPOT),
        "can be kept warm",
    ),
    "a rung of another cloud": (pooled(rungs=[{"kind": "flex-start", "nodes": 8}]), "AWS has no flex-start"),
    "a reservation by another name": (
        pooled(rungs=[{"kind": "reservation", "id": "projects/x", "nodes": 8}]),
        "write id: cr-",
    ),
    "a block of a machine that none is sold of": (
        pooled(
            machine="g6.xlarge",
            rungs=[
                {
                    "kind": "capacity-block",
                    "id": BLOCK,
                    "nodes": 8,
                    "starts": "2026-12-01T11:30:00Z",
                    "ends": "2026-12-02T11:30:00Z",
                }
            ],
        ),
        "no capacity blocks of g6.xlarge are sold",
    ),
    "an adopted group without its cluster": (
        an_aws_estate(west={"adopt": {"node_groups": {"train": "theirs"}}}),
        "adopt the cluster too",
    ),
    "two rungs of one name": (
        an_aws_estate(
            west={
                "pools": {
                    "a": a_pool(rungs=[{"kind": "spot", "name": "b-c", "nodes": 8}]),
                    "a-b": a_pool(rungs=[{"kind": "spot", "name": "c", "nodes": 8}]),
                }
            }
        ),
        "a-b-c is what rung b-c of a is called already",
    ),
    "a bucket in another region": (
        an_aws_estate(
            stores={
                "east": a_store("east"),
                "west": a_store("west") | {"region": "us-east-1"},
                "witness": a_store("east"),
            }
        ),
        "write region: us-west-2",
    ),
    "a cache without a bucket of S3": (
        an_aws_estate(
            west={"cache": {"kind": "fsx-lustre", "gib": 2400}, "store": "google"},
            stores={
                "east": a_store("east"),
                "west": a_store("west"),
                "witness": a_store("east"),
                "google": {"kind": "gcs", "bucket": "points-google"},
            },
        ),
        "FSx is filled from a bucket of Amazon S3 in us-west-2",
    ),
    "a name that groups cannot have": (an_aws_estate(name="sg"), 'cannot begin with "sg-"'),
}


@pytest.mark.parametrize("case", ESTATES)
def test_what_aws_would_refuse_is_refused_with_its_reason(case: str) -> None:
    estate, reason = ESTATES[case]
    assert reason in why_not(estate)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({}, "there is no size for it"),
        ({"train": {"reservation": 1}}, "pools.train.on-demand: there is no size for it"),
        ({"train": {"reservation": 5, "on-demand": 0}}, "5 nodes, and it gives 0 to 4"),
        ({"train": {"reservation": -1, "on-demand": 0}}, "-1 nodes"),
        ({"train": {"reservation": 1, "on-demand": 0, "spot": 1}}, "there is no such rung"),
        ({"train": {"reservation": 1, "on-demand": 0}, "chat": {}}, "there is no such pool"),
    ],
)
def test_sizes_that_do_not_fit_the_pools_are_refused(
    sizes: Mapping[str, Mapping[str, int]], reason: str
) -> None:
    assert reason in why_not(an_aws_estate(), sizes)


def test_every_reason_is_told_at_once() -> None:
    estate = an_aws_estate(
        west={"cidr": "10.0.0.0/24", "pools": {"train": a_pool(zone="us-west-2d", image="x")}}
    )
    said = why_not(estate, {})
    for reason in ("write a /16", "us-west-2d is no zone", "x is no image", "there is no size"):
        assert reason in said


def test_a_site_that_is_not_in_aws_is_refused_before_anything_is_declared() -> None:
    with pytest.raises(UsageError, match="no site in AWS"):
        declare(an_aws_estate(), "nowhere", {})


def test_what_fits_is_let_through() -> None:
    estate = an_aws_estate(links={"ew": LINK})
    assert require_buildable(Frame(estate, "west"), sized(estate, "west")) is estate.sites["west"]
