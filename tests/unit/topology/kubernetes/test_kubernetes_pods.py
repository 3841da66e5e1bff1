"""What the pods of a site may do, where they run, and who may speak to them."""

from __future__ import annotations

from typing import Any

from relight.topology.graph import Graph
from rig.clusters import DEPLOYMENT, JOB, an_estate_in_a_cluster, the_graph

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def pod(graph: Graph, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = graph.one(kind, name).inputs["spec"]["template"]["spec"]
    return found


def policy(graph: Graph, name: str) -> dict[str, Any]:
    found: dict[str, Any] = graph.one(POLICY, name).inputs["spec"]
    return found


def test_no_container_can_become_more_than_it_is() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    for kind, name in ((DEPLOYMENT, "app"), (DEPLOYMENT, "notebooks"), (JOB, "digits")):
        found = pod(graph, kind, name)
        (container,) = found["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert found["securityContext"]["runAsNonRoot"] is (name != "notebooks")
        assert found["automountServiceAccountToken"] is False


def test_root_is_barred_from_the_namespace_unless_a_workload_declares_it() -> None:
    def level(**workloads: Any) -> str:
        graph = the_graph(an_estate_in_a_cluster(workloads=workloads))
        labels = graph.one("kubernetes:core/v1:Namespace").inputs["metadata"]["labels"]
        return str(labels["pod-security.kubernetes.io/enforce"])

    assert level() == "baseline"
    assert level(notebooks={"container": {"image": "lab:2", "gpus_each": 1}}) == "restricted"


def test_gpus_are_asked_for_and_limited_alike_on_nodes_that_have_them() -> None:
    found = pod(the_graph(an_estate_in_a_cluster()), DEPLOYMENT, "app")
    gpus = {"nvidia.com/gpu": "2"}
    assert found["containers"][0]["resources"] == {"requests": gpus, "limits": gpus}
    assert found["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    assert found["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]


def test_what_needs_no_gpu_keeps_off_the_nodes_that_have_them() -> None:
    estate = an_estate_in_a_cluster(workloads={"app": {"gpus": 0}})
    found = pod(the_graph(estate), DEPLOYMENT, "app")
    assert {"nodeSelector", "tolerations"}.isdisjoint(found)
    assert "resources" not in found["containers"][0]


def test_secrets_are_named_and_their_values_stand_nowhere() -> None:
    (container,) = pod(the_graph(an_estate_in_a_cluster()), JOB, "digits")["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "vault-key"}}]


def test_an_image_by_digest_is_not_asked_for_again() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    assert pod(graph, DEPLOYMENT, "app")["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert pod(graph, JOB, "digits")["containers"][0]["imagePullPolicy"] == "Always"


def test_what_has_a_port_is_probed_on_it_and_has_a_service_inside_the_cluster() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    (container,) = pod(graph, DEPLOYMENT, "app")["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": "serving"}
    service = graph.one("kubernetes:core/v1:Service", "app").inputs["spec"]
    assert service["type"] == "ClusterIP"
    assert service["ports"] == [{"name": "serving", "port": 8000, "targetPort": "serving"}]


def test_who_may_be_stopped_has_the_low_class() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    assert pod(graph, DEPLOYMENT, "notebooks")["priorityClassName"] == "relight-low"
    assert pod(graph, JOB, "digits")["priorityClassName"] == "relight-high"


def test_small_replicas_are_not_spread_over_hosts_that_a_larger_one_needs() -> None:
    def keys(**workloads: Any) -> list[str]:
        found = pod(the_graph(an_estate_in_a_cluster(workloads=workloads)), DEPLOYMENT, "app")
        return [each["topologyKey"] for each in found["topologySpreadConstraints"]]

    assert keys() == ["topology.kubernetes.io/zone"]
    small = {"container": {"image": "train:7", "gpus_each": 2}}
    assert keys(digits=small) == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_ranks_find_each_other_by_name_before_they_are_ready() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    service = graph.one("kubernetes:core/v1:Service", "digits").inputs["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    found = pod(graph, JOB, "digits")
    assert found["subdomain"] == "digits"
    assert {"name": "MASTER_ADDR", "value": "digits-0.digits"} in found["containers"][0]["env"]


def test_a_moved_pod_is_no_failure_and_no_rank_runs_twice() -> None:
    spec = the_graph(an_estate_in_a_cluster()).one(JOB).inputs["spec"]
    assert spec["podFailurePolicy"]["rules"][0]["action"] == "Ignore"
    assert spec["podReplacementPolicy"] == "Failed"
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == 2


def test_no_update_waits_for_pods_and_no_other_hand_holds_a_size() -> None:
    graph = the_graph(an_estate_in_a_cluster(), sizes={"h100": {"own-metal": 3, "spot": 1}})
    there = {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}
    for kind, name, ends in ((DEPLOYMENT, "app", {"pulumi.com/skipAwait": "true"}), (JOB, "digits", there)):
        resource = graph.one(kind, name)
        assert resource.inputs["metadata"]["annotations"] == ends | {
            "pulumi.com/patchForce": "true",
            "relight.dev/sizes": '{"own-metal": 3, "spot": 1}',  # as the cloud's own API has it
        }
        assert "ignore_changes" not in resource.options


def test_a_job_of_another_declaration_waits_until_the_old_ranks_have_sealed_and_ended() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    job = graph.one(JOB, "digits")
    assert "pulumi.com/skipAwait" not in job.inputs["metadata"]["annotations"]  # it skips deletions as well
    assert pod(graph, JOB, "digits")["terminationGracePeriodSeconds"] == 600
    assert job.options["custom_timeouts"] == {"delete": "20m"}


def test_everything_is_denied_in_both_directions_first() -> None:
    found = policy(the_graph(an_estate_in_a_cluster()), "default-deny")
    assert found == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_declared_networks_call_a_workload_and_only_on_its_port() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    assert policy(graph, "app-callers")["ingress"] == [
        {"from": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "ports": [{"port": 8000, "protocol": "TCP"}]}
    ]
    named = {each.name for each in graph.of(POLICY)}
    assert named == {"default-deny", "own-namespace", "dns", "object-stores", "app-callers"}


def test_nobody_from_outside_calls_where_no_network_is_declared() -> None:
    graph = the_graph(an_estate_in_a_cluster({"reachable_from": []}))
    callers = [
        peer
        for each in graph.of(POLICY)
        for rule in each.inputs["spec"].get("ingress", [])
        for peer in rule["from"]
    ]
    assert callers == [{"podSelector": {}}]


def test_stores_are_reached_on_their_ports_and_metadata_services_are_not() -> None:
    (rule,) = policy(the_graph(an_estate_in_a_cluster()), "object-stores")["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]
    assert [port["port"] for port in rule["ports"]] == [443, 9000]


def test_the_runner_looks_at_workloads_and_reads_no_secret() -> None:
    graph = the_graph(an_estate_in_a_cluster())
    own, wide = (graph.one(RBAC + kind).inputs["rules"] for kind in ("Role", "ClusterRole"))
    named = {name for rule in (*own, *wide) for name in rule["resources"]}
    assert {"secrets", "*"}.isdisjoint(named)
    assert all(rule["verbs"] == ["get", "list"] for rule in wide)


def test_the_runner_changes_the_estates_own_workloads_and_no_neighbours() -> None:
    rules = the_graph(an_estate_in_a_cluster()).one(RBAC + "Role").inputs["rules"]
    changed = {
        tuple(rule["resources"]): rule.get("resourceNames") for rule in rules if "patch" in rule["verbs"]
    }
    assert changed == {("deployments",): ["app", "notebooks"], ("jobs",): ["digits"]}


def test_a_kind_of_workload_that_is_not_there_is_not_granted_either() -> None:
    estate = an_estate_in_a_cluster(workloads={"digits": {"container": None}})
    rules = the_graph(estate).one(RBAC + "Role").inputs["rules"]
    assert [rule["resources"] for rule in rules if "patch" in rule["verbs"]] == [["deployments"]]
