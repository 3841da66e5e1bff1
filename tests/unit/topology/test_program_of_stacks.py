"""The shipped program, as Pulumi runs it: it asks the witness, and changes nothing where it must not."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from relight import app
from relight.cli.init import write_project
from relight.errors import Damaged, NotFound, StoreError, Unreachable
from relight.fence.fake import memory_witness
from relight.provision.fake import FakeIntents
from relight.topology.graph import Graph, run_under_mocks

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def intents(monkeypatch: pytest.MonkeyPatch) -> FakeIntents:
    intents, witness = FakeIntents(), memory_witness()
    monkeypatch.setattr(app.World, "intents", lambda _: intents)
    monkeypatch.setattr(app.World, "witness", lambda _: witness)
    return intents


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path, "active-passive")
    return tmp_path


def run(project: Path, stack: str = "oregon", **config: str) -> Graph:
    program = project / "stacks" / "__main__.py"
    settings = {f"relight:{key.replace('_', '-')}": value for key, value in config.items()}
    return run_under_mocks(
        lambda: runpy.run_path(str(program)), project="active-passive", stack=stack, config=settings
    )


def change_estate(project: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = project / "estate.yaml"
    declared = yaml.safe_load(path.read_bytes())
    change(declared)
    path.write_text(json.dumps(declared))


def answer_with(monkeypatch: pytest.MonkeyPatch, error: StoreError) -> None:
    def fail(_self: object, _site: str) -> None:
        raise error

    monkeypatch.setattr(FakeIntents, "intent", fail)


def desired(graph: Graph) -> int:
    group = graph.one("aws:eks/nodeGroup:NodeGroup", "train-reservation")
    size: int = group.inputs["scalingConfig"]["desiredSize"]
    return size


def test_in_quiet_times_the_topology_says_how_large_a_pool_is_and_the_config_may_say_otherwise(
    project: Path, intents: FakeIntents
) -> None:
    assert desired(run(project)) == 2
    assert desired(run(project, pools='{"train": 4}')) == 4


def test_what_was_decided_stands_above_the_config(project: Path, intents: FakeIntents) -> None:
    intents.decide("oregon", pools={"train": {"reservation": 10}}, active=True, epoch=2, by="run-1", at=NOW)
    assert desired(run(project, pools='{"train": 1}')) == 10


def test_an_update_from_an_old_checkout_fails_and_declares_nothing(
    project: Path, intents: FakeIntents
) -> None:
    intents.decide("oregon", pools={"train": {"reservation": 12}}, active=True, epoch=2, by="run-1", at=NOW)
    with pytest.raises(pulumi.RunError, match="pool train has 12 nodes of reservation; the estate allows 10"):
        run(project)


def test_a_checkout_from_before_the_site_had_pools_takes_none_away_from_it_while_it_works(
    project: Path, intents: FakeIntents
) -> None:
    intents.decide("oregon", pools={"train": {"reservation": 10}}, active=True, epoch=2, by="run-1", at=NOW)
    change_estate(project, lambda estate: estate["sites"]["oregon"].pop("pools"))
    with pytest.raises(pulumi.RunError, match="pool train has 10 nodes, and is not declared"):
        run(project)


@pytest.mark.parametrize("error", [Unreachable("it is silent"), NotFound("there is no bucket")])
def test_an_update_that_cannot_ask_the_witness_fails_unless_somebody_answers_for_it(
    project: Path, intents: FakeIntents, monkeypatch: pytest.MonkeyPatch, error: StoreError
) -> None:
    answer_with(monkeypatch, error)
    with pytest.raises(pulumi.RunError, match="without-witness"):
        run(project)
    assert desired(run(project, without_witness="true")) == 2


def test_a_witness_that_answers_stands_above_whoever_would_do_without_it(
    project: Path, intents: FakeIntents, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents.decide("oregon", pools={"train": {"reservation": 10}}, active=True, epoch=2, by="run-1", at=NOW)
    assert desired(run(project, without_witness="true")) == 10
    answer_with(monkeypatch, Damaged("intent/oregon.json cannot be read"))
    with pytest.raises(pulumi.RunError, match=r"intent/oregon\.json"):
        run(project, without_witness="true")


def test_the_project_of_another_estate_changes_nothing(project: Path, intents: FakeIntents) -> None:
    change_estate(project, lambda estate: estate.update(name="other"))
    with pytest.raises(pulumi.RunError, match='project is "active-passive" and the estate "other"'):
        run(project)


@pytest.mark.parametrize(
    ("pools", "said"),
    [('{"train": "two"}', "no table of pools"), ("[1]", "no table"), ('{"trian": 2}', "trian")],
)
def test_a_config_that_fits_no_pool_is_told_as_an_error_of_the_program(
    project: Path, intents: FakeIntents, pools: str, said: str
) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        run(project, pools=pools)


def test_a_stack_of_an_unknown_site_is_told_with_those_that_there_are(
    project: Path, intents: FakeIntents
) -> None:
    with pytest.raises(pulumi.RunError, match="global, ohio, oregon, backbone"):
        run(project, "nowhere")
