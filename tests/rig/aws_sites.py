"""An estate of two sites in AWS, east and west, for tests of what is declared there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from relight.estate import Estate
from relight.topology.aws import Site
from relight.topology.frame import Frame, SiteArgs
from relight.topology.graph import Graph, run_under_mocks
from rig.estates import an_estate

ACCOUNT, REGIONS = "111122223333", {"east": "us-east-1", "west": "us-west-2"}
IMAGE, RESERVED, BLOCK = "ami-0123456789abcdef0", "cr-0123456789abcdef0", "cr-0123456789abcdef1"


def a_pool(**changes: Any) -> dict[str, Any]:
    rungs = [{"kind": "reservation", "id": RESERVED, "nodes": 4}, {"kind": "on-demand", "nodes": 8}]
    return {"machine": "p5.48xlarge", "nodes": 8, "rungs": rungs} | changes


def a_site(name: str, **changes: Any) -> dict[str, Any]:
    region = REGIONS[name]
    return {
        "kind": "aws",
        "account": ACCOUNT,
        "region": region,
        "zones": [f"{region}{letter}" for letter in "abc"],
        "cidr": f"10.{16 * (1 + list(REGIONS).index(name))}.0.0/16",
        "credentials": {"role": f"arn:aws:iam::{ACCOUNT}:role/provision"},
        "store": name,
        "probes": {"compute": "https://127.0.0.1/health"},
        "pools": {"train": a_pool()},
    } | changes


def a_store(name: str, other: str | None = None, **managed: Any) -> dict[str, Any]:
    copies = {"replicate_to": other} if other else {}
    return {
        "kind": "s3",
        "bucket": f"points-{name}",
        "region": REGIONS[name],
        "site": name,
        "managed": copies | managed,
    }


def an_aws_estate(
    east: Mapping[str, Any] | None = None,
    west: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Estate:
    """`east` and `west` change fields of the sites; everything else changes sections of the estate."""
    outside = {
        "kind": "aws",
        "account": ACCOUNT,
        "region": "eu-north-1",
        "credentials": {"environment": True},
    }
    witness = {"kind": "s3", "bucket": "points-witness", "region": "eu-north-1", "managed": {}}
    sections: dict[str, Any] = {
        "sites": {"east": a_site("east", **(east or {})), "west": a_site("west", **(west or {}))},
        "topology": {"kind": "active-passive", "primary": "east", "standby": "west"},
        "stores": {
            "east": a_store("east", "west"),
            "west": a_store("west", "east"),
            "witness": witness,
        },
        "stacks": {"backend": "s3://state-elsewhere", "owner": "oncall", "outside": outside},
        "workloads": {
            "digits": {
                "kind": "training",
                "runs_on": "east",
                "priority": 500,
                "gpus": 16,
                "writes": ["east", "west"],
                "checkpoint_every": "30s",
                "objective": {"rpo": "1m", "rto": "5m"},
            }
        },
    }
    return an_estate(**(sections | changes))


def sized(estate: Estate, site: str, nodes: int = 0) -> dict[str, dict[str, int]]:
    """The same number for every rung of a site."""
    pools = estate.sites[site].pools  # type: ignore[union-attr]  # its own sites are in a cloud
    return {name: {rung.key: nodes for rung in pool.rungs} for name, pool in pools.items()}


def declare(estate: Estate, site: str, sizes: Mapping[str, Mapping[str, int]] | None = None) -> Graph:
    """The graph of a site's stack under strict mocks; every rung at 0 where nothing is said."""

    def program() -> None:
        args = SiteArgs(Frame(estate, site), sized(estate, site) if sizes is None else sizes)
        for key, value in Site(site, args).outputs.items():
            pulumi.export(key, value)

    return run_under_mocks(program, stack=site)
