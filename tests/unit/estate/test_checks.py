"""What spans sections: names that lead nowhere, numbers that do not fit, and what a dead site would take."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from relight.estate import Check, Estate, check_estate
from rig.files import GOOD_ESTATE

Change = Callable[[dict[str, Any]], object]
GOOD: dict[str, Any] = yaml.safe_load(GOOD_ESTATE.read_text(encoding="utf-8"))


def changed(*changes: Change) -> tuple[Check, ...]:
    data = deepcopy(GOOD)
    for change in changes:
        change(data)
    return check_estate(Estate.model_validate(data))


def put(path: str, value: Any) -> Change:
    """A change that puts a value under a dotted path; None takes what is there away."""
    *parents, last = path.split(".")

    def change(data: dict[str, Any]) -> None:
        for part in parents:
            data = data[part]
        if value is None:
            del data[last]
        else:
            data[last] = value

    return change


def another(name: str, **fields: Any) -> Change:
    """A workload that is added: it writes nothing and runs in north."""
    return put(f"workloads.{name}", {"kind": "inference", "runs_on": "north"} | fields)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sites.north.store", "nroth"),
        ("topology.primary", "nroth"),
        ("topology.standby", "sout"),
        ("stores.south.site", "sout"),
        ("witness.store", "outsid"),
        ("observers.east.site", "nroth"),
        ("workloads.digits.runs_on", "nroth"),
        ("workloads.digits.reads", "digitz"),
        ("dns.servers.ns.site", "nroth"),
        ("dns.names.app.serves", "digitz"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error_with_the_name_that_was_meant(path: str, name: str) -> None:
    found = [check for check in changed(put(path, name)) if check.code == "dangling-name"]
    assert [(check.severity, check.path) for check in found] == [("error", path)]
    assert name in found[0].message
    assert "did you mean" in found[0].remedy


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put("workloads.digits.writes", ["north", "sout"]), "workloads.digits.writes.1"),
        (put("workloads.digits.depends_on", ["x"]), "workloads.digits.depends_on.0"),
        (put("dns.names.app.servers", ["ns", "ms"]), "dns.names.app.servers.1"),
        (put("dns.names.app.targets.west", "127.0.0.9"), "dns.names.app.targets.west"),
    ],
)
def test_a_name_in_a_list_that_leads_nowhere_is_an_error_at_its_place(change: Change, path: str) -> None:
    assert ("dangling-name", path) in [(check.code, check.path) for check in changed(change)]


CASES: list[tuple[str, str, str, tuple[Change, ...]]] = [
    ("error", "cycle", "workloads.a", (another("a", depends_on=["b"]), another("b", depends_on=["a"]))),
    ("error", "cycle", "workloads.digits", (put("workloads.digits.depends_on", ["digits"]),)),
    (
        "error",
        "cycle",
        "workloads.digits",
        (another("a", reads="digits"), put("workloads.digits.depends_on", ["a"])),
    ),
    (
        "error",
        "objective-tighter-than-cadence",
        "workloads.digits.checkpoint_every",
        (put("workloads.digits.objective.rpo", "29m"),),
    ),
    (
        "error",
        "no-cadence",
        "workloads.digits.checkpoint_every",
        (put("workloads.digits.checkpoint_every", 0),),
    ),
    ("warning", "no-cadence", "workloads.digits.writes", (put("workloads.digits.checkpoint_every", None),)),
    ("warning", "writes-nowhere", "workloads.digits.checkpoint_every", (put("workloads.digits.writes", []),)),
    ("warning", "nothing-to-restore", "workloads.a", (another("a", kind="training"),)),
    ("error", "even-observers", "observers", (put("observers.east", None),)),
    ("warning", "one-observer", "observers", (put("observers.east", None), put("observers.west", None))),
    ("error", "standby-is-primary", "topology.standby", (put("topology.standby", "north"),)),
    ("error", "store-elsewhere", "sites.north.store", (put("sites.north.store", "outside"),)),
    ("error", "store-elsewhere", "sites.north.store", (put("sites.north.store", "south"),)),
    ("error", "too-large-for-site", "workloads.a.gpus", (another("a", runs_on="south", gpus=33),)),
    (
        "warning",
        "too-large-for-standby",
        "workloads.digits.gpus",
        (put("sites.south.nodes", "n5"), put("workloads.digits.gpus", 9)),
    ),
    (
        "warning",
        "site-too-small",
        "sites.north.nodes",
        (put("workloads.digits.gpus", 30), another("a", gpus=3)),
    ),
    ("warning", "standby-too-small", "sites.south.nodes", (another("a", runs_on="south", gpus=25),)),
    ("error", "reads-nothing", "workloads.b.reads", (another("a"), another("b", reads="a"))),
    ("error", "outside-zone", "dns.names.app.name", (put("dns.names.app.zone", "example.org."),)),
    ("error", "outside-zone", "dns.names.app.name", (put("dns.names.app.zone", "ample.net."),)),
    ("error", "ttl-longer-than-rto", "dns.names.app.ttl", (put("dns.names.app.ttl", "5h"),)),
    ("error", "no-target", "dns.names.app.targets", (put("dns.names.app.targets.south", None),)),
    ("error", "no-target", "dns.names.app.targets", (put("dns.names.app.targets.north", None),)),
    ("error", "check-elsewhere", "dns.names.app.check", (put("dns.names.app.check", "http://127.0.0.1/"),)),
    ("error", "check-elsewhere", "dns.names.app.check", (put("dns.names.app.check", "http://["),)),
    ("error", "name-twice", "dns.names.b.name", (put("dns.names.b", GOOD["dns"]["names"]["app"]),)),
    ("error", "dead-site-witness", "witness.store", (put("witness.store", "north"),)),
    ("error", "dead-site-witness", "witness.store", (put("witness.store", "south"),)),
    ("error", "dead-site-points", "workloads.digits.writes", (put("workloads.digits.writes", ["north"]),)),
    ("error", "dead-site-points", "workloads.digits.writes", (put("stores.south.site", "north"),)),
    (
        "error",
        "dead-site-observers",
        "observers",
        (put("observers.east.site", "south"), put("observers.west.site", "south")),
    ),
    ("error", "dead-site-dns", "dns.names.app.servers", (put("dns.servers.ns.site", "south"),)),
    (
        "error",
        "dead-site-dependency",
        "workloads.a.reads",
        (another("a", reads="digits"), put("workloads.digits.writes", ["north"])),
    ),
    (
        "error",
        "dead-site-dependency",
        "workloads.a.depends_on.0",
        (another("a", depends_on=["digits"]), put("workloads.digits.writes", ["north"])),
    ),
]


@pytest.mark.parametrize(
    ("severity", "code", "path", "changes"), CASES, ids=[f"{n}-{case[1]}" for n, case in enumerate(CASES)]
)
def test_what_does_not_fit_is_found_at_its_place(
    severity: str, code: str, path: str, changes: tuple[Change, ...]
) -> None:
    found = [check for check in changed(*changes) if check.code == code]
    assert [(check.severity, check.path) for check in found] == [(severity, path)]
    assert found[0].message
    assert found[0].remedy


@pytest.mark.parametrize(
    "changes",
    [
        (put("workloads.digits.objective.rpo", "30m"),),  # as often as it may lose
        (put("workloads.digits.writes", ["north", "outside"]),),  # a store outside will do
        (put("workloads.digits.writes", ["south"]),),
        (put("dns.names.app.zone", "app.example.net."),),  # a zone of its own
        (put("dns.names.app.check", "https://APP.example.net:8443/health"),),
        (put("observers.east.site", "north"), put("observers.west.site", "south")),  # one elsewhere
        (another("notes", runs_on="south", gpus=32, may_be_stopped=True),),  # it gives way
        (another("a", depends_on=["digits"]), another("b", depends_on=["digits", "a"], reads="digits")),
        (another("sets", kind="dataset", writes=["north", "south"], checkpoint_every="1h"),),
    ],
)
def test_what_fits_is_left_in_peace(changes: tuple[Change, ...]) -> None:
    assert changed(*changes) == ()


def test_a_site_outside_the_topology_is_warned_about_and_not_judged() -> None:
    west = GOOD["sites"]["north"] | {"store": "west"}
    found = changed(
        put("sites.west", west),
        put("stores.west", {"kind": "s3", "bucket": "west", "site": "west"}),
        put("witness.store", "west"),
        another("a", runs_on="west"),
    )
    assert [(check.code, check.path) for check in found] == [("outside-topology", "workloads.a.runs_on")]


def test_every_knot_of_workloads_is_told_once() -> None:
    ring = [another(f"r{n}", depends_on=[f"r{(n + 1) % 5}", f"r{(n + 2) % 5}"]) for n in range(5)]
    pair = [another("p", depends_on=["q"], reads="digits"), another("q", depends_on=["p", "r0"])]
    found = [check for check in changed(*ring, *pair) if check.code == "cycle"]
    assert [check.path for check in found] == ["workloads.r0", "workloads.p"]
    assert found[1].message == "waits for itself: p → q → p"


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = changed(
        put("witness.store", "north"), put("observers.east", None), put("workloads.digits.runs_on", "x")
    )
    assert {check.code for check in found} == {"dangling-name", "even-observers", "dead-site-witness"}
    assert found == changed(
        put("witness.store", "north"), put("observers.east", None), put("workloads.digits.runs_on", "x")
    )
