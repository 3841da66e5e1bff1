"""`relight stacks` as people and machines call it; the engine is in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight import app
from relight.provision.fake import FakeStacks, Resources
from rig.command import Call
from rig.files import EXAMPLES

POOL = "aws:eks/nodeGroup:NodeGroup"


def program(stack: str) -> Resources:
    return {"train-reservation": {"type": POOL, "nodes": 2}, f"vpc-{stack}": {"cidr": "10.0.0.0/16"}}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeStacks:
    engine = FakeStacks(program)
    monkeypatch.setattr(app.World, "stacks", lambda _world, _stack: engine)
    return engine


@pytest.fixture
def estate(new_folder: Path, call: Call) -> Path:
    assert call("init", "--example", "active-passive").code == 0
    return new_folder


def test_every_example_becomes_a_project_that_checks_clean_and_shows_its_stacks(
    new_folder: Path, call: Call
) -> None:
    for path in EXAMPLES:
        said = call("init", path.stem, "--example", path.stem)
        assert said.code == 0
        said = call("check", "-C", path.stem)
        assert said.code == 0, said.out


def test_an_example_that_there_is_not_lists_those_that_there_are(new_folder: Path, call: Call) -> None:
    said = call("init", "--example", "atlantis")
    assert said.code == 2
    assert "active-active" in said.err
    assert "two-sites" in said.err


def test_a_project_has_the_program_and_no_more_of_it_than_belongs_there(estate: Path) -> None:
    assert (estate / "Pulumi.yaml").is_file()
    assert (estate / "stacks/__main__.py").is_file()
    assert (estate / "stacks/gitops/drift-cronjob.yaml").is_file()
    assert not (estate / "stacks/policy/.venv").exists()


def test_show_says_what_the_site_is_for_and_what_is_billed_while_it_sleeps(estate: Path, call: Call) -> None:
    said = call("stacks", "show", "oregon")
    assert said.code == 0
    assert "20% of each pool runs, meant to be full in 30m" in said.out
    assert "Nodes cost 592.36 USD an hour in quiet times, and 592.36 at full size." in said.out
    assert "Of the quiet hour 471.79 USD are for reservations" in said.out
    answer = call("stacks", "show", "oregon", "--json").json
    assert answer["pools"]["train"]["quiet"] == {"reservation": 2}
    assert answer["pools"]["train"]["full"] == {"reservation": 10}
    # eight idle p5 at 55.04 and three idle g6e at 10.49
    assert answer["pools"]["train"]["idle_usd_per_hour"] == pytest.approx(8 * 55.04)
    billed = {row["kind"] for row in answer["resources"] if row["billed_while_asleep"]}
    assert {"aws ec2 NatGateway", "aws eks Cluster", "aws kms Key"} <= billed


def test_show_draws_a_tree_and_a_graph(estate: Path, call: Call) -> None:
    assert "└─ oregon  Site" in call("stacks", "show", "oregon", "--view", "tree").out
    assert call("stacks", "show", "oregon", "--view", "graph").out.startswith("flowchart LR")


def test_a_stack_of_an_unknown_site_is_told_with_those_that_there_are(estate: Path, call: Call) -> None:
    said = call("stacks", "show", "orgon")
    assert said.code == 2
    assert "global, ohio, oregon, backbone" in said.err


def test_an_estate_that_no_cloud_would_take_shows_every_reason_and_declares_nothing(
    estate: Path, call: Call
) -> None:
    text = (estate / "estate.yaml").read_text()
    text = text.replace("us-west-2", "us-wets-2").replace("10.17.0.0/16", "10.16.0.0/16")
    (estate / "estate.yaml").write_text(text)
    said = call("stacks", "show", "oregon")
    assert said.code == 2
    assert 'no region "us-wets-2"' in said.err
    assert "overlaps" in said.err


def test_an_estate_without_stacks_says_what_to_add(new_folder: Path, call: Call) -> None:
    call("init")
    said = call("stacks", "show", "north")
    assert said.code == 2
    assert "add stacks:" in said.err


def test_drift_ends_with_1_and_names_resource_and_property(
    estate: Path, call: Call, engine: FakeStacks
) -> None:
    for stack in ("ohio", "oregon"):
        engine.up(stack)
    assert call("stacks", "drift", "ohio", "oregon").code == 0
    engine.cloud["oregon"]["train-reservation"]["nodes"] = 7
    said = call("stacks", "drift", "ohio", "oregon", "--json")
    assert said.code == 1
    assert said.json["clean"] == ["ohio"]
    assert "train-reservation" in said.json["drifted"]["oregon"][0]
    assert "oregon: 1 resource drifted" in call("stacks", "drift", "oregon").out


def test_a_stack_that_was_never_brought_up_is_said_to_be_so_and_not_clean(
    estate: Path, call: Call, engine: FakeStacks
) -> None:
    engine.up("ohio")
    said = call("stacks", "drift", "ohio", "oregon")
    assert said.code == 4
    assert "ohio: clean" in said.out
    assert "oregon: never brought up" in said.out
    assert call("stacks", "drift", "oregon", "--json").json["never_up"] == ["oregon"]


def test_what_cannot_be_looked_at_is_no_clean_stack(estate: Path, call: Call, engine: FakeStacks) -> None:
    engine.is_away = True
    said = call("stacks", "drift", "ohio")
    assert said.code == 4
    assert "could not be looked at" in said.out


def test_a_preview_is_kept_as_a_plan_that_does_this_and_nothing_else(
    estate: Path, call: Call, engine: FakeStacks
) -> None:
    said = call("stacks", "preview", "oregon", "-o", "plan.json")
    assert said.code == 0, said.err
    assert "create" in said.out
    digest = call("stacks", "preview", "oregon", "--json").json["digest"]
    plan = (estate / "plan.json").read_text()
    assert f'"expect_digest":"{digest}"' in plan
    assert "train-reservation" in plan


def test_where_work_bursts_into_nothing_is_billed_by_the_hour_while_it_sleeps(
    new_folder: Path, call: Call
) -> None:
    call("init", "--example", "cloud-burst")
    for site in ("ohio", "oregon", "iowa"):
        answer = call("stacks", "show", site, "--json").json
        asleep = {row["kind"]: row["billed"] for row in answer["resources"] if row["billed_while_asleep"]}
        assert asleep  # keys and what is stored
        assert "by the hour" not in asleep.values(), asleep
        full = call("stacks", "show", site, "--full", "--json").json
        hourly = {
            row["kind"]
            for row in full["resources"]
            if row["billed"] == "by the hour" and row["billed_while_asleep"]
        }
        assert hourly <= {"aws autoscaling Group", "gcp compute InstanceGroupManager"}
        assert hourly
        assert full["size"] == "full"


def test_drift_is_looked_for_also_where_nothing_could_be_made(
    estate: Path, call: Call, engine: FakeStacks
) -> None:
    engine.up("oregon")
    path = estate / "estate.yaml"
    path.write_text(path.read_text().replace("cidr: 10.17.0.0/16", "cidr: 10.16.0.0/16"))
    assert call("stacks", "preview", "oregon").code == 2
    said = call("stacks", "drift", "oregon")
    assert said.code == 0, said.err
    assert "oregon: clean" in said.out
    assert call("stacks", "drift", "oregn").code == 2
