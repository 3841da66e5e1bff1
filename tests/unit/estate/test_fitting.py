"""What fits into a pool, by priority."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relight.estate import Container, Workload
from relight.estate.fitting import fit, fit_pool, gpus_of_replica, is_gang, replicas_wanted, workloads_in
from rig.clusters import an_estate_in_a_cluster


def a_workload(kind: str, replicas: int, each: int, priority: int = 100) -> Workload:
    return Workload(
        kind=kind,  # type: ignore[arg-type]
        runs_on="north",
        priority=priority,
        gpus=replicas * each,
        container=Container(image="image", gpus_each=max(1, each)),
    )


WORKLOADS = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(
        a_workload,
        st.sampled_from(("training", "inference", "registry")),
        st.integers(1, 20),
        st.integers(0, 8),
        st.sampled_from((1, 100, 900)),
    ),
)
NODES, PER_NODE = st.integers(0, 50), st.integers(1, 8)


def test_a_replica_never_spans_two_nodes() -> None:
    assert fit(2, 8, {"a": a_workload("inference", 3, 5)}) == {"a": 2}


def test_a_training_that_lacks_one_node_runs_nowhere_and_leaves_its_room() -> None:
    workloads = {"train": a_workload("training", 4, 8, 900), "serve": a_workload("inference", 9, 2, 1)}
    assert fit(3, 8, workloads) == {"train": 0, "serve": 9}
    assert fit(4, 8, workloads) == {"train": 4, "serve": 0}


def test_small_replicas_fill_what_larger_ones_left() -> None:
    workloads = {"large": a_workload("inference", 2, 5, 900), "small": a_workload("inference", 9, 3, 1)}
    assert fit(2, 8, workloads) == {"large": 2, "small": 2}


def test_what_needs_no_gpu_runs_as_soon_as_the_pool_is_awake() -> None:
    workloads = {"cpu": a_workload("registry", 1, 0, 1), "gpu": a_workload("inference", 1, 8, 900)}
    assert fit(0, 8, workloads) == {"cpu": 0, "gpu": 0}
    assert fit(1, 8, workloads) == {"cpu": 1, "gpu": 1}


def test_a_pool_of_ten_thousand_nodes_is_counted_not_walked() -> None:
    assert fit(10_000, 8, {"a": a_workload("inference", 80_000, 1)}) == {"a": 80_000}


@given(NODES, PER_NODE, WORKLOADS)
def test_no_pool_gives_more_gpus_than_it_has_nor_more_replicas_than_wanted(
    nodes: int, per_node: int, workloads: dict[str, Workload]
) -> None:
    fitting = fit(nodes, per_node, workloads)
    assert set(fitting) == set(workloads)
    assert sum(gpus_of_replica(workloads[name]) * n for name, n in fitting.items()) <= nodes * per_node
    assert all(0 <= n <= replicas_wanted(workloads[name]) for name, n in fitting.items())


@given(NODES, PER_NODE, WORKLOADS)
def test_a_gang_runs_whole_or_not_at_all(nodes: int, per_node: int, workloads: dict[str, Workload]) -> None:
    for name, replicas in fit(nodes, per_node, workloads).items():
        if is_gang(workloads[name]):
            assert replicas in (0, replicas_wanted(workloads[name]))


@given(NODES, PER_NODE, WORKLOADS)
def test_nothing_of_lower_priority_takes_from_what_is_higher(
    nodes: int, per_node: int, workloads: dict[str, Workload]
) -> None:
    fitting = fit(nodes, per_node, workloads)
    order = sorted(workloads, key=lambda name: (-workloads[name].priority, name))
    for count in range(len(order)):
        higher = {name: workloads[name] for name in order[: count + 1]}
        assert fit(nodes, per_node, higher) == {name: fitting[name] for name in higher}


@given(NODES, PER_NODE, WORKLOADS)
def test_the_first_in_line_loses_nothing_when_the_pool_grows(
    nodes: int, per_node: int, workloads: dict[str, Workload]
) -> None:
    if not workloads:
        return
    first = min(workloads, key=lambda name: (-workloads[name].priority, name))
    assert fit(nodes, per_node, workloads)[first] <= fit(nodes + 1, per_node, workloads)[first]


@given(PER_NODE, WORKLOADS)
def test_everything_that_fits_a_node_runs_in_a_pool_that_is_large_enough(
    per_node: int, workloads: dict[str, Workload]
) -> None:
    possible = {name: w for name, w in workloads.items() if gpus_of_replica(w) <= per_node}
    nodes = sum(map(replicas_wanted, possible.values()))
    assert fit(nodes, per_node, possible) == {name: replicas_wanted(w) for name, w in possible.items()}


def test_what_may_not_run_here_leaves_its_room_to_the_rest() -> None:
    estate = an_estate_in_a_cluster()
    assert fit_pool(estate, "south", "h100", 2, lambda _: True) == {"app": 4, "digits": 0, "notebooks": 4}
    assert fit_pool(estate, "south", "h100", 3, lambda _: True) == {"app": 4, "digits": 2, "notebooks": 0}
    assert fit_pool(estate, "south", "h100", 3, lambda _: False) == {"app": 4, "digits": 0, "notebooks": 4}


def test_a_workload_runs_in_the_pool_that_it_names() -> None:
    pool = {"nodes": 1, "rungs": [{"kind": "own-metal", "nodes": 1}]}
    estate = an_estate_in_a_cluster({"pools": {"a": pool, "b": pool}}, {"app": {"pool": "b"}})
    assert workloads_in(estate, "south", "a") == {}
    assert set(workloads_in(estate, "south", "b")) == {"app"}


def test_a_site_that_is_no_cluster_runs_nothing_by_itself() -> None:
    assert workloads_in(an_estate_in_a_cluster(), "north", "h100") == {}
