"""Two sites on a cloud, in each topology: the estates behind the goldens of stacks."""

from __future__ import annotations

import json
from typing import Any

from relight.estate import Estate

CLOUDS = ("aws", "gcp", "kubernetes")
TOPOLOGIES: dict[str, dict[str, Any]] = {
    "active-passive": {"kind": "active-passive", "primary": "north", "standby": "south"},
    "pilot-light": {"kind": "pilot-light", "primary": "north", "standby": "south"},
    "cloud-burst": {"kind": "cloud-burst", "primary": "north", "ladder": ["south"]},
    "active-active": {"kind": "active-active", "sites": ["north", "south"]},
}
_PROBES = {"compute": "https://probe.example.net/health"}
_REGIONS = {"aws": ("us-east-2", "us-west-2"), "gcp": ("us-central1", "us-west1")}


def estate_on(cloud: str, topology: str) -> Estate:
    """`north` works and `south` stands by, or whatever the topology makes of them, both on one cloud."""
    sites = {name: _site(cloud, name, number) for number, name in enumerate(("north", "south"))}
    stores = {f"points-{name}": _store(cloud, name, number) for number, name in enumerate(sites)}
    data = {
        "version": 1,
        "name": "golden",
        "sites": sites,
        "topology": TOPOLOGIES[topology],
        "stores": {**stores, "outside": _witness(cloud)},
        "witness": {"store": "outside"},
        "observers": {name: {"url": f"https://{name}.example.org"} for name in ("east", "west", "harbour")},
        "workloads": _workloads(tuple(stores)),
        "stacks": {
            "backend": "s3://golden-state?region=eu-north-1",
            "passphrase": "env:PASSPHRASE",
            "owner": "ml-platform",
            **({} if cloud == "kubernetes" else {"outside": _outside(cloud)}),
        },
        **({} if cloud == "kubernetes" else {"traffic": _traffic(cloud, topology), "links": _links()}),
    }
    return Estate.model_validate_json(json.dumps(data), strict=True)


def _site(cloud: str, name: str, number: int) -> dict[str, Any]:
    common = {"store": f"points-{name}", "probes": _PROBES}
    rungs = [
        {"kind": "reservation", "id": f"cr-0123456789abcde0{number}", "nodes": 10, "ready_in": "15m"},
        {"kind": "on-demand", "nodes": 20},
        {"kind": "spot", "nodes": 20},
    ]
    if cloud == "kubernetes":
        pool = {"nodes": 10, "selector": {"gpu": "h100"}, "rungs": [{"kind": "own-metal", "nodes": 20}]}
        return {
            "kind": "kubernetes",
            "credentials": {"environment": True},
            "namespace": "work",
            "pools": {"gpu": pool},
            **common,
        }
    region = _REGIONS[cloud][number]
    if cloud == "aws":
        place: dict[str, Any] = {
            "kind": "aws",
            "account": "111122223333",
            "zones": [f"{region}a", f"{region}b"],
            "cidr": f"10.{16 + number}.0.0/16",
            "credentials": {"profile": "dr"},
            "cache": {"kind": "fsx-lustre", "gib": 4800},
            "pools": {
                "gpu": {"machine": "p5.48xlarge", "nodes": 10, "rungs": rungs},
                "serve": {
                    "machine": "g6e.12xlarge",
                    "nodes": 4,
                    "form": "instances",
                    "image": "ami-0123456789abcdef0",
                    "warm": 2,
                    "rungs": [{"kind": "on-demand", "nodes": 8}],
                },
            },
        }
    else:
        place = {
            "kind": "gcp",
            "project": "golden-project",
            "zones": [f"{region}-a", f"{region}-b"],
            "cidr": f"10.{32 + number}.0.0/20",
            "pods": f"10.{32 + number}.64.0/18",
            "services": f"10.{32 + number}.16.0/20",
            "control_plane": f"10.{32 + number}.32.0/28",
            "credentials": {"environment": True},
            "cache": {"kind": "filestore", "gib": 2560},
            "pools": {
                "gpu": {"machine": "a3-highgpu-8g", "nodes": 10, "rungs": [
                    {**rungs[0], "id": f"h100-{name}"}, *rungs[1:], {"kind": "flex-start", "nodes": 10},
                ]},
                "serve": {
                    "machine": "g2-standard-48",
                    "nodes": 4,
                    "form": "instances",
                    "image": "projects/golden-project/global/images/serve-1",
                    "rungs": [{"kind": "on-demand", "nodes": 8}],
                },
            },
        }  # fmt: skip
    return {**place, "region": region, "asn": 64512 + number, **common}


def _store(cloud: str, name: str, number: int) -> dict[str, Any]:
    common = {"bucket": f"golden-points-{name}", "site": name}
    other = "points-south" if name == "north" else "points-north"
    if cloud == "aws":
        managed = {"replicate_to": other, "cool_after_days": 60}
        return {"kind": "s3", "region": _REGIONS["aws"][number], "managed": managed, **common}
    if cloud == "gcp":
        return {"kind": "gcs", "location": _REGIONS["gcp"][number], "managed": {}, **common}
    return {"kind": "s3", "endpoint": f"https://s3.{name}.example.net", **common}


def _witness(cloud: str) -> dict[str, Any]:
    managed = {} if cloud == "kubernetes" else {"managed": {"lock_days": 1}}
    if cloud == "gcp":
        return {"kind": "gcs", "bucket": "golden-witness", "location": "EU", **managed}
    return {"kind": "s3", "bucket": "golden-witness", "region": "eu-north-1", **managed}


def _outside(cloud: str) -> dict[str, Any]:
    if cloud == "aws":
        credentials = {"profile": "dr"}
        return {"kind": "aws", "account": "111122223333", "region": "eu-north-1", "credentials": credentials}
    credentials_google = {"environment": True}
    return {
        "kind": "gcp",
        "project": "golden-project",
        "region": "europe-north1",
        "credentials": credentials_google,
    }


def _traffic(cloud: str, topology: str) -> dict[str, Any]:
    record = {
        "name": "chat.example.net.",
        "serves": "chat",
        "policy": "weighted" if topology == "active-active" else "failover",
        "targets": {"north": "192.0.2.10", "south": "198.51.100.10"},
        **({"health": {"interval_seconds": 30}} if cloud == "gcp" else {}),
    }
    return {
        "kind": "route53" if cloud == "aws" else "cloud-dns",
        "zone": "example.net.",
        "records": {"chat": record},
        "routing_controls": cloud == "aws",
    }


def _links() -> dict[str, Any]:
    link = {"between": ["north", "south"], "bandwidth": "4Gbit/s", "replication": "2Gbit/s"}
    return {"backbone": {**link, "preshared_key": "env:BACKBONE_KEY"}}


def _workloads(stores: tuple[str, ...]) -> dict[str, Any]:
    train = {
        "kind": "training",
        "runs_on": "north",
        "pool": "gpu",
        "priority": 500,
        "gpus": 64,
        "writes": list(stores),
        "checkpoint_every": "30m",
        "container": {"image": "registry.example.net/train:1", "secrets": ["points"]},
    }
    chat = {
        "kind": "inference",
        "runs_on": "north",
        "pool": "gpu",
        "priority": 900,
        "gpus": 8,
        "reads": "pretrain",
        "container": {"image": "registry.example.net/chat:1", "gpus_each": 4, "port": 8080},
    }
    return {"pretrain": train, "chat": chat}
