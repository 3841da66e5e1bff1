"""A small estate with a site in a Kubernetes cluster, for tests of what its stack declares."""

from __future__ import annotations

from typing import Any

import pulumi

from relight.estate import Estate
from relight.topology.frame import Frame, SiteArgs
from relight.topology.graph import Graph, run_under_mocks
from relight.topology.kubernetes import Site
from rig.estates import an_estate

KUBECONFIG = "apiVersion: v1 # planted-secret"
IMAGE = "registry.example/llm@sha256:" + "0" * 64
DEPLOYMENT, JOB = "kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job"

WORKLOADS: dict[str, Any] = {
    "digits": {
        "kind": "training",
        "runs_on": "north",
        "priority": 500,
        "gpus": 16,
        "writes": ["north"],
        "container": {"image": "registry.example/train:7", "gpus_each": 8, "secrets": ["vault-key"]},
    },
    "app": {
        "kind": "inference",
        "runs_on": "north",
        "priority": 900,
        "gpus": 8,
        "container": {"image": IMAGE, "gpus_each": 2, "port": 8000, "environment": {"MODEL": "digits"}},
    },
    "notebooks": {
        "kind": "development",
        "runs_on": "north",
        "priority": 1,
        "gpus": 4,
        "may_be_stopped": True,
        "container": {"image": "registry.example/lab:2", "gpus_each": 1, "runs_as_root": True},
    },
    "elsewhere": {"kind": "inference", "runs_on": "north", "gpus": 8},
}
POOLS: dict[str, Any] = {
    "h100": {
        "nodes": 4,
        "rungs": [{"kind": "own-metal", "nodes": 3}, {"kind": "spot", "nodes": 2}],
        "selector": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
    }
}


def an_estate_in_a_cluster(
    site: dict[str, Any] | None = None, workloads: dict[str, Any] | None = None, **changes: Any
) -> Estate:
    """North is a sandbox, south a cluster; `site` changes south, `workloads` single workloads."""
    south = {
        "kind": "kubernetes",
        "store": "south",
        "probes": {"compute": "https://south.example/health"},
        "credentials": {"kubeconfig": "file:kubeconfig"},
        "pools": POOLS,
        "reachable_from": ["10.9.0.0/16"],
    } | (site or {})
    north = an_estate().sites["north"].model_dump(mode="json")
    stacks = {"backend": "s3://state", "owner": "ops@example.com"}
    changed = {name: WORKLOADS[name] | (workloads or {}).get(name, {}) for name in WORKLOADS}
    added = {name: value for name, value in (workloads or {}).items() if name not in WORKLOADS}
    return an_estate(
        **{"sites": {"north": north, "south": south}, "stacks": stacks, "dns": {}} | changes,
        workloads=changed | added,
    )


def the_graph(estate: Estate, *, nodes: int = 0, **args: Any) -> Graph:
    """What the stack of south declares with so many nodes of its own metal."""
    frame = Frame(estate, "south", resolve=lambda _: KUBECONFIG)
    sizes = args.pop("sizes", {"h100": {"own-metal": nodes, "spot": 0}})

    def program() -> None:
        for name, value in Site("south", SiteArgs(frame, sizes, **args)).outputs.items():
            pulumi.export(name, value)

    return run_under_mocks(program, stack="south")
