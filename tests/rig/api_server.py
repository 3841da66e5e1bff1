"""A Kubernetes API server on loopback, as small as what Relight asks of it, and strict about how.

A method, path, query, content type or body that the real one would not take is answered 400 and kept in
`complaints`. After the API reference of Kubernetes 1.34.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from relight.estate import ClusterPool, ClusterSite
from rig.http import Answer, Asked, HttpServer, http_server

ESTATE, SITE, NAMESPACE = "acme", "cluster", "relight"
TOKEN = "planted-bearer-token"
GPU = "nvidia.com/gpu"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_PATCHES = ("application/strategic-merge-patch+json", "application/merge-patch+json")
_PAGED = {"limit", "continue"}


@dataclass
class ApiServer:
    """Objects by name, as JSON; `objects` are others, by path."""

    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    patched: list[str] = field(default_factory=list)
    refuses: tuple[int, str] | None = None
    cut_after: int | None = None  # patches, after which each is refused
    complaints: list[str] = field(default_factory=list)

    def add_deployment(self, name: str, pool: str) -> None:
        template = {"metadata": {"labels": {"a": name}}, "spec": {"containers": [{"name": name}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": {"a": name}}, "template": template}
        self.deployments[name] = {"metadata": _metadata(name, pool), "spec": spec, "status": {}}

    def add_job(self, name: str, pool: str, parallelism: int) -> None:
        template = {"spec": {"containers": [{"name": name}], "restartPolicy": "Never"}}
        spec = {"suspend": True, "parallelism": parallelism, "completions": parallelism, "template": template}
        self.jobs[name] = {"metadata": _metadata(name, pool), "spec": spec, "status": {}}

    def add_node(self, name: str, gpus: int, *, ready: bool = True, **spec: Any) -> None:
        condition = {"type": "Ready", "status": "True" if ready else "False"}
        status = {"allocatable": {GPU: str(gpus), "cpu": "192"}, "conditions": [condition]}
        metadata = {"name": name, "labels": {"gpu": "h100"}}
        self.nodes[name] = {"metadata": metadata, "spec": spec, "status": status}

    def add_pod(self, name: str, node: str | None, gpus: int, pool: str = "") -> None:
        limits = {"limits": {GPU: str(gpus)}} if gpus else {}
        spec: dict[str, Any] = {"containers": [{"name": name, "resources": limits}]}
        status = {"conditions": [{"type": "Ready", "status": "True"}]} if node else {}
        metadata = _metadata(name, pool)
        self.pods[name] = {
            "metadata": metadata,
            "spec": spec | ({"nodeName": node} if node else {}),
            "status": status,
        }

    def bring_up(self) -> None:
        for deployment in self.deployments.values():
            deployment["status"] = {"readyReplicas": deployment["spec"]["replicas"]}
        for job in self.jobs.values():
            job["status"] = {} if job["spec"]["suspend"] else {"ready": job["spec"]["parallelism"]}

    def answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _status(401, "Unauthorized")
        if self.refuses:
            return _status(*self.refuses)
        if asked.method == "PATCH":
            return self._patch(parts.path, query, asked)
        if asked.method != "GET" or asked.body:
            return self._complain(asked)
        listed = {
            _DEPLOYMENTS: (self.deployments, {"labelSelector"}),
            _JOBS: (self.jobs, {"labelSelector"}),
            _PODS: (self.pods, {"labelSelector"}),
            "/api/v1/pods": (self.pods, {"fieldSelector", *_PAGED}),
            "/api/v1/nodes": (self.nodes, {"labelSelector", *_PAGED}),
        }
        if parts.path in listed:
            items, keys = listed[parts.path]
            return self._complain(asked) if set(query) - keys else _list(items, query)
        if query:
            return self._complain(asked)
        return _ok({"kind": "X"}) if parts.path in self.objects else _status(404, f"{parts.path} not found")

    def _patch(self, path: str, query: Mapping[str, str], asked: Asked) -> Answer:
        folder, _, name = path.rpartition("/")
        of = {_DEPLOYMENTS: (self.deployments, {"replicas"}), _JOBS: (self.jobs, {"suspend"})}.get(folder)
        body = json.loads(asked.body)
        if of is None or query or asked.headers.get("content-type") not in _PATCHES:
            return self._complain(asked)
        there, may = of
        if (
            set(body) != {"metadata", "spec"}
            or set(body["spec"]) != may
            or set(body["metadata"]) != {"annotations"}
        ):
            return self._complain(asked)
        if name not in there:
            return _status(404, f"{name} not found")
        if self.cut_after is not None and len(self.patched) >= self.cut_after:
            return _status(503, "the server is shutting down")
        self.patched.append(name)
        there[name]["spec"] |= body["spec"]
        there[name]["metadata"]["annotations"] |= body["metadata"]["annotations"]
        return _ok(there[name])

    def _complain(self, asked: Asked) -> Answer:
        self.complaints.append(f"{asked.method} {asked.path} {asked.headers} {asked.body!r}")
        return _status(400, "what is asked is no such call")


def _metadata(name: str, pool: str) -> dict[str, Any]:
    labels = {"relight.dev/estate": ESTATE, "relight.dev/site": SITE, "relight.dev/pool": pool}
    return {"name": name, "labels": labels, "annotations": {}}


def _list(items: Mapping[str, dict[str, Any]], query: Mapping[str, str]) -> Answer:
    wanted = dict(part.split("=") for part in query.get("labelSelector", "").split(",") if part)
    found = [item for item in items.values() if wanted.items() <= item["metadata"].get("labels", {}).items()]
    if "limit" not in query:
        return _ok({"metadata": {}, "items": found})
    half = int(query.get("continue", "0"))  # pages of one item, so that there are several
    onward = {"continue": str(half + 1)} if found[half + 1 :] else {}
    return _ok({"metadata": onward, "items": found[half : half + 1]})


def _ok(body: Mapping[str, Any]) -> Answer:
    return 200, json.dumps(body).encode()


def _status(code: int, message: str) -> Answer:
    return code, json.dumps(
        {"kind": "Status", "status": "Failure", "message": message, "code": code}
    ).encode()


def kubeconfig(url: str, user: Mapping[str, Any] | None = None) -> str:
    """A kubeconfig of one cluster, as JSON, which is YAML too."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": dict(user or {"token": TOKEN})}],
        }
    )


def cluster_site(pools: Mapping[str, ClusterPool], **more: Any) -> ClusterSite:
    return ClusterSite.model_validate(
        {
            "kind": "kubernetes",
            "store": "vault",
            "probes": {"compute": "https://cluster.test/"},
            "credentials": {"kubeconfig": "env:KUBECONFIG_TEXT"},
            "namespace": NAMESPACE,
            "pools": {name: pool.model_dump() for name, pool in pools.items()},
            **more,
        }
    )


@contextmanager
def api_server() -> Iterator[tuple[ApiServer, HttpServer]]:
    """Serve until the block ends; then nothing may have been asked that is no such call."""
    server = ApiServer()
    with http_server(server.answer) as http:
        yield server, http
    assert not server.complaints
