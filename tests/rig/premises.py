"""A small estate with a site of own nodes, and a cloud that holds what it needs; for tests of its stack."""

from __future__ import annotations

from typing import Any

import pulumi

from relight.estate import Estate, MetalSite
from relight.topology.frame import Frame, SiteArgs
from relight.topology.graph import Graph, run_under_mocks
from relight.topology.metal import Site
from rig.estates import an_estate

KEY = "planted.preshared.key"
AWS = {
    "kind": "aws",
    "account": "111122223333",
    "region": "eu-north-1",
    "credentials": {"environment": True},
}
GOOGLE = {
    "kind": "gcp",
    "project": "relight-example",
    "region": "europe-west4",
    "credentials": {"environment": True},
}
GATEWAY: dict[str, Any] = {"address": "198.51.100.7", "second_address": "198.51.100.8", "asn": 65010}


def an_estate_on_premises(cloud: dict[str, Any] | None = AWS, **site: Any) -> Estate:
    """North is own metal; `site` changes it, south stays a sandbox."""
    sites = {name: each.model_dump(mode="json") for name, each in an_estate().sites.items()}
    sites["north"] = {
        "kind": "metal",
        "store": "north",
        "nodes": "gpu[1-4]",
        "probes": {"compute": "https://north.example/health"},
        "cloud": cloud,
        "gateway": GATEWAY,
        "networks": ["10.20.0.0/16"],
        "out_of_band": "10.99.0.0/24",
        "image_bucket": "rig-north-images",
    } | site
    return an_estate(sites=sites, dns={}, stacks={"backend": "s3://state", "owner": "ops"})


def on_google(**site: Any) -> Estate:
    """The same, with a project of Google Cloud and a key for the tunnels."""
    return an_estate_on_premises(GOOGLE, **{"gateway": GATEWAY | {"preshared_key": "env:OOB_KEY"}} | site)


def the_graph(estate: Estate, key: str = KEY) -> Graph:
    """What the stack of north declares."""
    frame = Frame(estate, "north", resolve=lambda _: key)
    assert isinstance(estate.sites["north"], MetalSite)

    def program() -> None:
        for name, value in Site("north", SiteArgs(frame, {})).outputs.items():
            pulumi.export(name, value)

    return run_under_mocks(program, stack="north")
