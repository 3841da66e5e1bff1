"""Kubernetes: how a cluster is reached, how a knob that was cut off goes on, what room there is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable
from relight.estate import ClusterCredentials, ClusterPool, Rung
from relight.provision import PendingCreate
from relight.provision.adapters.kubernetes import (
    ClusterAccess,
    ClusterCapacity,
    ClusterFinder,
    ClusterPoolSizes,
    access,
)
from rig import api_server
from rig.api_server import NAMESPACE, ApiServer

RUNGS = (Rung(kind="own-metal", nodes=4), Rung(kind="on-demand", nodes=2))
CREDENTIALS = ClusterCredentials(kubeconfig="env:KUBECONFIG_TEXT")
APP = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/app"


class Cluster:
    """A server with an app, a chat and a training in the pool, and ways to ask it."""

    def __init__(self, server: ApiServer, url: str) -> None:
        self.server, self.url = server, url
        server.add_deployment("app", "train")
        server.add_deployment("chat", "train")
        server.add_job("digits", "train", 2)

    def access(self, text: str = "", **user: Any) -> ClusterAccess:
        text = text or api_server.kubeconfig(self.url, user or None)
        return ClusterAccess("cluster", CREDENTIALS, lambda _: text)

    def sizes(self) -> ClusterPoolSizes:
        pools = {"train": ClusterPool(nodes=6, rungs=RUNGS)}
        declared = api_server.cluster_site(pools)
        return ClusterPoolSizes("acme", "cluster", declared, self.access(), fitting)

    def capacity(self, **pool: Any) -> ClusterCapacity:
        declared = api_server.cluster_site({"train": ClusterPool(nodes=6, rungs=RUNGS, **pool)})
        return ClusterCapacity("cluster", declared, self.access())


def fitting(_pool: str, nodes: int) -> dict[str, int]:
    return {"app": min(nodes, 3), "chat": max(0, nodes - 4), "digits": 2 if nodes > 2 else 0}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with api_server.api_server() as (server, http):
        yield Cluster(server, http.url)


def asked(sizes: ClusterPoolSizes) -> tuple[int, ...]:
    return tuple(sizes.sizes("train").values())


def test_a_pools_size_becomes_replicas_and_lets_its_jobs_go(cluster: Cluster) -> None:
    cluster.sizes().resize("train", "own-metal", 4)
    assert cluster.server.deployments["app"]["spec"]["replicas"] == 3
    assert cluster.server.jobs["digits"]["spec"]["suspend"] is False
    assert cluster.server.jobs["digits"]["spec"]["parallelism"] == 2
    cluster.sizes().resize("train", "own-metal", 0)
    assert cluster.server.deployments["app"]["spec"]["replicas"] == 0
    assert cluster.server.jobs["digits"]["spec"]["suspend"] is True


@given(before=st.integers(0, 4), after=st.integers(0, 4), patches=st.integers(0, 2))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_resize_that_is_cut_off_anywhere_is_seen_as_not_done_and_is_finished_by_the_next(
    cluster: Cluster, before: int, after: int, patches: int
) -> None:
    server, sizes = cluster.server, cluster.sizes()
    sizes.resize("train", "own-metal", before)
    server.patched.clear()
    server.cut_after = patches
    if before != after:
        with pytest.raises(Unreachable):
            sizes.resize("train", "own-metal", after)
        assert asked(sizes) != (after, 0)
    server.cut_after = None
    sizes.resize("train", "own-metal", after)
    assert asked(sizes) == (after, 0)
    replicas = {name: d["spec"]["replicas"] for name, d in server.deployments.items()}
    assert replicas == {name: fitting("train", after)[name] for name in replicas}


def test_sizes_that_the_engine_set_are_told_in_the_order_of_the_rungs(cluster: Cluster) -> None:
    cluster.server.deployments["app"]["spec"]["replicas"] = 3
    cluster.server.deployments["chat"]["spec"]["replicas"] = 1
    cluster.server.jobs["digits"]["spec"]["suspend"] = False
    assert asked(cluster.sizes()) == (4, 1)


def test_what_somebody_set_by_hand_is_told_as_the_most_nodes_it_is_enough_for(cluster: Cluster) -> None:
    cluster.server.deployments["app"]["spec"]["replicas"] = 2
    cluster.server.deployments["chat"]["spec"]["replicas"] = 7
    assert asked(cluster.sizes()) == (2, 0)


def test_until_every_pod_is_ready_the_pool_is_not_all_up(cluster: Cluster) -> None:
    sizes = cluster.sizes()
    sizes.resize("train", "own-metal", 3)
    assert tuple(sizes.ready("train").values()) == (0, 0)
    cluster.server.add_pod("app-1", "n1", 8, "train")
    cluster.server.add_pod("app-2", None, 8, "train")
    assert tuple(sizes.ready("train").values()) == (1, 0)
    cluster.server.bring_up()
    assert tuple(sizes.ready("train").values()) == (3, 0)


def test_a_workload_that_an_update_has_not_come_to_yet_keeps_the_pool_from_being_all_up(
    cluster: Cluster,
) -> None:
    sizes = cluster.sizes()
    sizes.resize("train", "own-metal", 1)
    before = deepcopy(cluster.server.deployments["app"])
    sizes.resize("train", "own-metal", 4)
    cluster.server.deployments["app"] = before  # the engine changes them in any order, and was killed
    cluster.server.bring_up()
    assert sum(sizes.ready("train").values()) < 4


def test_a_pool_without_workloads_cannot_be_sized(cluster: Cluster) -> None:
    cluster.server.deployments.clear()
    cluster.server.jobs.clear()
    with pytest.raises(NotFound, match="pulumi up"):
        cluster.sizes().resize("train", "own-metal", 1)


def test_only_whole_nodes_that_pods_may_go_to_are_room(cluster: Cluster) -> None:
    server = cluster.server
    for name in ("free", "shared", "full"):
        server.add_node(name, 8)
    server.add_node("broken", 8, ready=False)
    server.add_node("cordoned", 8, unschedulable=True)
    server.add_node("barred", 8, taints=[{"key": "theirs", "effect": "NoSchedule"}])
    server.add_node("ours", 8, taints=[{"key": "nvidia.com/gpu", "effect": "NoSchedule"}])
    server.add_node("plain", 0)
    server.add_pod("one", "shared", 1)
    server.add_pod("eight", "full", 8)
    server.add_pod("waiting", None, 8)
    free = cluster.capacity().free("train", "own-metal")
    assert free.nodes == 2
    assert "2 of 4" in free.reason


def test_only_nodes_of_the_pools_labels_are_asked_for(cluster: Cluster) -> None:
    cluster.server.add_node("n", 8)
    assert cluster.capacity(selector={"gpu": "h100"}).free("train", "own-metal").nodes == 1
    assert cluster.capacity(selector={"gpu": "l4"}).free("train", "own-metal").nodes == 0


@pytest.mark.parametrize(
    ("answer", "kind", "remedy"),
    [
        ((401, "Unauthorized"), Refused, "renew"),
        ((403, "deployments.apps is forbidden"), Refused, "role"),
        ((404, "not found"), NotFound, "stack"),
        ((409, "the object has been modified"), Conflict, "try again"),
        ((422, "is invalid"), Refused, "wants"),
        ((429, "too many requests"), Unreachable, "able"),
        ((503, "starting"), Unreachable, "able"),
    ],
)
def test_each_refusal_has_its_kind_and_its_remedy(
    cluster: Cluster, answer: tuple[int, str], kind: type[RelightError], remedy: str
) -> None:
    cluster.server.refuses = answer
    with pytest.raises(kind, match=answer[1]) as told:
        cluster.sizes().sizes("train")
    assert type(told.value) is kind
    assert remedy in told.value.remedy
    assert api_server.TOKEN not in str(told.value)


def credential_program(folder: Path, body: str) -> dict[str, Any]:
    script = folder / "token.py"
    script.write_text(body)
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(script)]}
    return {"exec": {**run, "interactiveMode": "Never"}}


def test_a_program_that_the_kubeconfig_names_gives_the_token(cluster: Cluster, tmp_path: Path) -> None:
    said = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": api_server.TOKEN},
    }
    user = credential_program(tmp_path, f"print({json.dumps(said)!r})")
    cluster.server.objects.add(APP)
    assert cluster.access(**user).get(APP)


def test_a_program_that_fails_is_told_without_what_it_printed(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    user = credential_program(tmp_path, "import sys; sys.exit('planted-secret')")
    with pytest.raises(Refused, match="gives no credentials") as told:
        cluster.access(**user).get(APP)
    assert "planted" not in str(told.value) + caplog.text


def test_a_program_that_hangs_is_not_waited_for(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_LOADING_SECONDS", 0.1)
    user = credential_program(tmp_path, "import time; time.sleep(2)")
    start = time.monotonic()
    with pytest.raises(Unreachable, match="not done yet"):
        cluster.access(**user).get(APP)
    assert time.monotonic() - start < 1.5


@pytest.mark.parametrize("text", ["planted-secret", "{planted-secret", "{}", "[]"])
def test_a_text_that_is_no_kubeconfig_is_told_without_showing_it(cluster: Cluster, text: str) -> None:
    with pytest.raises(Refused, match="kubeconfig cannot be used") as told:
        cluster.access(text).get(APP)
    assert "planted" not in str(told.value)


def test_a_context_that_is_not_there_is_named(cluster: Cluster) -> None:
    who = CREDENTIALS.model_copy(update={"context": "elsewhere"})
    with pytest.raises(Refused, match="elsewhere"):
        ClusterAccess("cluster", who, lambda _: api_server.kubeconfig(cluster.url)).get(APP)


def test_the_environments_kubeconfig_is_read(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(api_server.kubeconfig(cluster.url))
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config")
    )
    cluster.server.objects.add(APP)
    assert ClusterAccess("cluster", ClusterCredentials(environment=True), lambda _: "").get(APP)


def sought(type_: str, **inputs: Any) -> PendingCreate:
    return PendingCreate(
        urn=f"urn::{type_}::x",
        type=type_,
        name="x",
        inputs=inputs,
        begun_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def test_what_was_created_is_found_by_namespace_and_name(cluster: Cluster) -> None:
    finder = ClusterFinder(cluster.access())
    deployment = sought("kubernetes:apps/v1:Deployment", metadata={"name": "app", "namespace": NAMESPACE})
    namespace = sought("kubernetes:core/v1:Namespace", metadata={"name": NAMESPACE})
    assert finder.find(deployment) is None
    assert finder.find(namespace) is None
    cluster.server.objects |= {APP, f"/api/v1/namespaces/{NAMESPACE}"}
    assert finder.find(deployment) == f"{NAMESPACE}/app"
    assert finder.find(namespace) == NAMESPACE


def test_what_cannot_be_looked_up_says_what_to_do(cluster: Cluster) -> None:
    for create in (
        sought("kubernetes:unheard/v1:Of", metadata={"name": "x"}),
        sought("kubernetes:apps/v1:Deployment"),
    ):
        with pytest.raises(RelightError, match="cannot be looked up") as told:
            ClusterFinder(cluster.access()).find(create)
        assert "kubectl" in told.value.remedy
