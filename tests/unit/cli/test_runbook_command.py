"""`relight runbook` and the forms of `relight report`."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight import app
from relight.errors import Unreachable
from rig.command import Call


def test_the_runbooks_are_listed_with_their_inputs(project: Path, call: Call) -> None:
    assert "let time pass" in call("runbook", "list").out
    (listed,) = call("runbook", "list", "--json").json["runbooks"]
    assert listed["name"] == "pass-time"
    assert [i["name"] for i in listed["inputs"]] == ["seconds", "way"]


def test_a_runbook_is_described_without_asking_anybody(project: Path, call: Call) -> None:
    said = call("runbook", "doc", "pass-time", "-i", "way=people")
    assert said.code == 0
    assert "| 2 people | key | was the key turned? |" in said.out
    assert "| pretrain | first is done | 1h |" in said.out
    assert call("runbook", "doc", "pass-time", "-i", "way=people").out == said.out


def test_a_description_can_be_written_to_a_file(project: Path, call: Call) -> None:
    assert call("runbook", "doc", "pass-time", "--output", "page.md").out == ""
    assert Path("page.md").read_text() == call("runbook", "doc", "pass-time").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("doc", "nothing"),
        ("doc", "pass-time", "-i", "colour=red"),
        ("doc", "pass-time", "--suppose", "lost:atlantis"),
        ("doc", "pass-time", "--point-size", "huge"),
        ("doc", "pass-time", "--output", "no/such/folder/page.md"),
        ("diff", "missing.json"),
        ("diff", "estate.yaml"),
    ],
)
def test_what_cannot_be_described_or_compared_ends_with_2(
    arguments: tuple[str, ...], project: Path, call: Call
) -> None:
    said = call("runbook", *arguments)
    assert said.code == 2
    assert said.err.startswith("error: ")


def test_a_difference_says_whether_approvals_hold(project: Path, call: Call) -> None:
    call("plan", "pass-time", "-o", "old.json")
    call("plan", "pass-time", "-i", "way=people", "-o", "new.json")
    same = call("runbook", "diff", "old.json")
    assert same.code == 0
    assert same.out.startswith("Approvals hold")
    other = call("runbook", "diff", "old.json", "new.json")
    assert other.code == 1
    assert "+ key  turn the key (manual)" in other.out
    assert "- `+` key" in call("runbook", "diff", "old.json", "new.json", "--format", "markdown").out
    answer = call("runbook", "diff", "old.json", "new.json", "--json").json
    assert answer["approvals_hold"] is False
    assert [step["step"] for step in answer["difference"]["steps_added"]] == ["key"]


def test_a_report_is_a_page_or_json_or_text(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    page = call("report", "--format", "markdown").out
    assert "## Timeline" in page
    assert "Nothing stood out." in page
    told = call("report", "--format", "json").json
    assert told == call("report", "--json").json
    assert [entry["type"] for entry in told["report"]["timeline"]][-1] == "run-ended"
    assert "to make better" not in call("report").out


def test_a_report_says_that_the_witness_does_not_answer_unless_it_is_not_to_be_asked(
    project: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("run", "pass-time", "--yes")

    def silent(_: object) -> object:
        raise Unreachable("no route", "is it up?")

    monkeypatch.setattr(app.World, "anchors", silent)
    said = call("report")
    assert said.code == 0
    assert "the witness: it does not answer (no route)" in said.out
    assert "witness" not in call("report", "--offline").out


def test_the_description_is_valid_where_a_runbook_is_blocked(project: Path, call: Call) -> None:
    said = call("runbook", "doc", "pass-time", "-i", "way=blocked")
    assert said.code == 0
    assert "| block | no-way: x | it cannot be | wait |" in said.out
    assert "In all: none." in said.out
