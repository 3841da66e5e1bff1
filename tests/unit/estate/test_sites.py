"""Node sets are counted as ClusterShell counts them, and cost no more than their size."""

from __future__ import annotations

import pytest
from ClusterShell.NodeSet import NodeSet
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from relight.estate.sites import NodeRange, SandboxSite

ADAPTER: TypeAdapter[str] = TypeAdapter(NodeRange)


def a_site(nodes: str) -> SandboxSite:
    return SandboxSite(
        kind="sandbox",
        agent="http://a",
        nodes=nodes,
        gpus_per_node=8,
        data="/d",
        store="s",
        probes={"compute": "http://a"},
    )


parts = st.tuples(
    st.sampled_from(["n", "gpu", "r1n", "a-"]),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=3),
    st.sampled_from(["", "x", "-ib0"]),
).map(
    lambda part: part[0] + (f"[{','.join(f'{a}-{a + b}' for a, b in part[1])}]" if part[1] else "7") + part[2]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(parts, min_size=1, max_size=6))
def test_a_list_of_nodes_is_counted_as_clustershell_counts_it(given_parts: list[str]) -> None:
    text = ",".join(given_parts)
    assert a_site(text).node_count == len(NodeSet(text))


@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        ("gpu[0001-1000]", 1000),
        ("r[1-25]n[1-400]", 10_000),
        ("n[1-9]!n[3-4]", 7),
        ("n[0-9/3]", 4),
        ("a,b,a", 2),
    ],
)
def test_a_site_has_the_gpus_of_all_its_nodes(nodes: str, count: int) -> None:
    assert a_site(nodes).node_count == count
    assert a_site(nodes).gpus == 8 * count


@pytest.mark.parametrize(
    "nodes",
    [
        "",
        "n[",
        "n]",
        "n[2-1]",
        "@all",
        "*",
        "a b",
        "n[1-4]!n[1-4]",
        "n[1-999999999]",
        "n[1-999999999999999999999999]",
        "r[1-9999]n[1-9999]",
        "1" * 5000,
        "a[1]" * 5000,
        "[" * 190_000,
        "n!" * 300 + "n",
    ],
)
def test_a_node_set_that_is_none_or_too_large_is_refused_at_once(nodes: str) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(nodes)


def test_names_with_two_numbers_may_be_written_one_by_one() -> None:
    assert a_site(",".join(f"r{n // 40}n{n % 40}" for n in range(10_000))).node_count == 10_000
