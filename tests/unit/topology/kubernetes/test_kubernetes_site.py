"""What the stack of a site in a cluster declares, and what follows its knob."""

from __future__ import annotations

from typing import Any

import pytest

from relight.errors import UsageError
from relight.topology.frame import Frame, SiteArgs
from relight.topology.graph import Graph
from relight.topology.kubernetes import Site
from relight.topology.policy import violations
from rig.clusters import DEPLOYMENT, JOB, KUBECONFIG, WORKLOADS, an_estate_in_a_cluster, the_graph


def replicas(graph: Graph) -> dict[str, int]:
    return {each.name: each.inputs["spec"]["replicas"] for each in graph.of(DEPLOYMENT)}


def test_an_asleep_site_has_every_workload_and_no_pod() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    assert replicas(graph) == {"app": 0, "notebooks": 0}
    assert graph.one(JOB).inputs["spec"]["suspend"] is True


def test_a_workload_without_a_container_is_left_alone() -> None:
    assert "elsewhere" not in the_graph(an_estate_in_a_cluster()).to_json()


def test_replicas_follow_the_pool_by_priority() -> None:
    estate = an_estate_in_a_cluster()
    assert replicas(the_graph(estate, nodes=1)) == {"app": 4, "notebooks": 0}
    assert replicas(the_graph(estate, nodes=2)) == {"app": 4, "notebooks": 4}


def test_the_nodes_of_all_rungs_count() -> None:
    sizes = {"h100": {"own-metal": 1, "spot": 1}}
    assert replicas(the_graph(an_estate_in_a_cluster(), sizes=sizes)) == {"app": 4, "notebooks": 4}


def test_a_training_runs_only_where_the_site_works_and_the_witness_lets_it_write() -> None:
    estate, taken_over = an_estate_in_a_cluster(), {"digits": "south"}

    def suspended(**args: Any) -> bool:
        return bool(the_graph(estate, nodes=3, **args).one(JOB).inputs["spec"]["suspend"])

    assert suspended()
    assert suspended(active=True)
    assert suspended(authority=taken_over)
    assert not suspended(active=True, authority=taken_over)


def test_a_training_that_does_not_fit_whole_stays_suspended() -> None:
    estate = an_estate_in_a_cluster(workloads={"digits": {"priority": 1000}})
    job = the_graph(estate, nodes=1, active=True, authority={"digits": "south"}).one(JOB)
    assert job.inputs["spec"]["suspend"] is True
    assert job.inputs["spec"]["parallelism"] == 2


def test_a_job_differs_by_its_suspension_alone_however_the_knob_is_turned() -> None:
    estate = an_estate_in_a_cluster()
    args: dict[str, Any] = {"active": True, "authority": {"digits": "south"}}
    asleep, awake = (dict(the_graph(estate, nodes=n, **args).one(JOB).inputs["spec"]) for n in (0, 3))
    assert (asleep.pop("suspend"), awake.pop("suspend")) == (True, False)
    assert asleep == awake


def test_the_knob_changes_what_it_names_and_nothing_else() -> None:
    estate = an_estate_in_a_cluster()
    args: dict[str, Any] = {"active": True, "authority": {"digits": "south"}}
    awake = the_graph(estate, sizes={"h100": {"own-metal": 3, "spot": 1}}, **args)
    asleep = the_graph(estate, **args)
    named = set(awake.outputs["pools"]["h100"]["own-metal"]["urns"])
    before = {each.urn: each.inputs for each in asleep.resources}
    changed = {each.urn for each in awake.resources if before[each.urn] != each.inputs}
    assert changed == named


def test_a_serving_workload_that_writes_is_at_zero_where_it_may_not_write() -> None:
    estate = an_estate_in_a_cluster(workloads={"app": {"writes": ["south"]}})
    assert replicas(the_graph(estate, nodes=3, active=True))["app"] == 0
    graph = the_graph(estate, nodes=3, active=True, authority={"app": "south"})
    assert graph.one(DEPLOYMENT, "app").inputs["spec"]["strategy"] == {"type": "Recreate"}
    assert replicas(graph)["app"] == 4


def test_pools_name_the_urns_and_nodes_of_each_rung() -> None:
    graph = the_graph(an_estate_in_a_cluster(), nodes=2)
    urns = [each.urn for kind in (DEPLOYMENT, JOB) for each in graph.of(kind)]
    rung = graph.outputs["pools"]["h100"]["own-metal"]
    assert sorted(rung["urns"]) == sorted(urns)
    assert rung["urn"] == rung["urns"][0]
    assert (rung["nodes"], graph.outputs["pools"]["h100"]["spot"]["nodes"]) == (2, 0)


def test_the_kubeconfig_is_a_secret_wherever_it_stands() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    assert graph.one("pulumi:providers:kubernetes").inputs["kubeconfig"] == "[secret]"
    assert KUBECONFIG not in graph.to_json()


def test_everything_is_made_by_the_sites_own_provider() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    made = [each for each in graph.resources if each.type.startswith("kubernetes:")]
    assert {each.provider for each in made} == {"south"}


def test_what_is_there_already_is_not_made_and_its_owners_pods_are_not_bound() -> None:
    adopt = {"namespace": True, "priority_classes": True}
    graph = the_graph(an_estate_in_a_cluster({"adopt": adopt}))
    for kind in ("core/v1:Namespace", "core/v1:ResourceQuota", "scheduling.k8s.io/v1:PriorityClass"):
        assert not graph.of(f"kubernetes:{kind}")
    for policy in graph.of("kubernetes:networking.k8s.io/v1:NetworkPolicy"):
        assert policy.inputs["spec"]["podSelector"]["matchLabels"]


def test_the_quota_holds_what_all_rungs_together_could_give() -> None:
    quota = the_graph(an_estate_in_a_cluster()).one("kubernetes:core/v1:ResourceQuota")
    assert quota.inputs["spec"]["hard"]["requests.nvidia.com/gpu"] == str(5 * 8)


def test_every_rule_is_kept_whether_asleep_or_awake() -> None:
    estate = an_estate_in_a_cluster()
    for nodes in (0, 3):
        assert violations(the_graph(estate, nodes=nodes), estate, "south") == ()


def test_a_pool_in_which_nothing_runs_names_no_urn() -> None:
    estate = an_estate_in_a_cluster(workloads={name: {"container": None} for name in WORKLOADS})
    rung = the_graph(estate, nodes=1).outputs["pools"]["h100"]["own-metal"]
    assert rung == {"urn": "", "urns": [], "resource": "", "id": "", "nodes": 1}


def test_the_namespace_is_protected() -> None:
    assert the_graph(an_estate_in_a_cluster()).one("kubernetes:core/v1:Namespace").protect


@pytest.mark.parametrize(
    ("workloads", "told"),
    [
        ({"app": {"gpus": 7}}, "7 GPUs are no whole number of replicas of 2"),
        ({"digits": {"container": {"image": "i", "gpus_each": 16}}}, "nodes of h100 have 8"),
    ],
)
def test_a_workload_that_could_never_run_is_refused(workloads: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        the_graph(an_estate_in_a_cluster(workloads=workloads))


def test_a_workload_that_names_no_pool_of_several_is_refused() -> None:
    pool = {"nodes": 1, "rungs": [{"kind": "own-metal", "nodes": 1}]}
    with pytest.raises(UsageError, match="one of several pools: a, b"):
        the_graph(an_estate_in_a_cluster({"pools": {"a": pool, "b": pool}}), sizes={})


@pytest.mark.parametrize(
    "sizes", [{"h100": {"own-metal": 4}}, {"h100": {"other": 1}}, {"other": {"spot": 1}}]
)
def test_a_size_that_no_rung_can_give_is_refused(sizes: dict[str, dict[str, int]]) -> None:
    with pytest.raises(UsageError):
        the_graph(an_estate_in_a_cluster(), sizes=sizes)


def test_a_site_of_another_kind_is_refused_before_anything_is_registered() -> None:
    with pytest.raises(UsageError, match="no site in a Kubernetes cluster"):
        Site("north", SiteArgs(Frame(an_estate_in_a_cluster(), "north"), {}))
