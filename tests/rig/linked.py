"""An estate of five places (regions of AWS and of Google Cloud, and a hall), with links and names."""

from __future__ import annotations

from typing import Any

from relight.estate import Estate
from rig.estates import OBSERVERS

PROBES = {"compute": "https://probe.example.net/health"}
AWS_ME, GOOGLE_ME = {"profile": "relight"}, {"environment": True}


def aws_site(region: str, cidr: str, asn: int, **more: Any) -> dict[str, Any]:
    place = {
        "kind": "aws",
        "account": "111122223333",
        "region": region,
        "zones": [f"{region}a", f"{region}b"],
    }
    return {
        **place,
        "cidr": cidr,
        "asn": asn,
        "credentials": AWS_ME,
        "store": "points",
        "probes": PROBES,
        **more,
    }


def google_site(region: str, second: int, asn: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "gcp",
        "project": "relight-example",
        "region": region,
        "zones": [f"{region}-a", f"{region}-b"],
        "cidr": f"10.{second}.0.0/20",
        "pods": f"10.{second + 1}.0.0/17",
        "services": f"10.{second + 2}.0.0/22",
        "control_plane": f"10.{second + 3}.0.0/28",
        "credentials": GOOGLE_ME,
        "asn": asn,
        "store": "points",
        "probes": PROBES,
        **more,
    }


GATEWAY = {"address": "198.51.100.1", "second_address": "198.51.100.2", "asn": 65001}
SITES: dict[str, Any] = {
    "north": aws_site("eu-north-1", "10.16.0.0/16", 64601),
    "south": aws_site("eu-south-1", "10.32.0.0/16", 64602),
    "east": google_site("europe-west4", 64, 64603),
    "west": google_site("us-central1", 80, 64604),
    "hall": {
        "kind": "metal",
        "nodes": "n[1-4]",
        "networks": ["10.128.0.0/16"],
        "gateway": GATEWAY,
        "store": "points",
        "probes": PROBES,
    },
}
AWS_OUTSIDE = {"kind": "aws", "account": "444455556666", "region": "eu-west-1", "credentials": AWS_ME}
GOOGLE_OUTSIDE = {
    "kind": "gcp",
    "project": "relight-outside",
    "region": "europe-north1",
    "credentials": GOOGLE_ME,
}
WITNESS = {"kind": "s3", "bucket": "witness-of-rig", "region": "eu-west-1", "managed": {}}
RECORD = {
    "name": "chat.example.net.",
    "serves": "chat",
    "targets": {"north": "192.0.2.1", "south": "192.0.2.2"},
}


def link(first: str, second: str, **more: Any) -> dict[str, Any]:
    return {"between": [first, second], "bandwidth": "1Gbit/s", "replication": "500Mbit/s", **more}


def a_linked_estate(**changes: Any) -> Estate:
    """`links`, `traffic`, `stacks` and the like replace whole sections; `sites` are merged."""
    data: dict[str, Any] = {
        "version": 1,
        "name": "rig",
        "topology": {"kind": "active-passive", "primary": "north", "standby": "south"},
        "stores": {
            "points": {"kind": "s3", "bucket": "points-of-north", "region": "eu-north-1", "site": "north"},
            "witness": WITNESS,
        },
        "witness": {"store": "witness"},
        "observers": {name: {"url": "http://127.0.0.1:7100"} for name in OBSERVERS},
        "workloads": {"chat": {"kind": "inference", "runs_on": "north", "objective": {"rto": "15m"}}},
        "stacks": {"backend": "s3://state-of-rig", "owner": "ops", "outside": AWS_OUTSIDE},
    }
    sites = SITES | changes.pop("sites", {})
    return Estate.model_validate(data | {"sites": sites} | changes)
