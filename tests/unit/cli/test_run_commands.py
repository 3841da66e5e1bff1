from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relight.cli import driving
from relight.engine import Journal, RunStarted, RunState
from rig.command import Call

OVERRIDE = "override:odd:x"


def newest_run(call: Call) -> str:
    run: str = call("runs", "--json").json["runs"][-1]["run"]
    return run


# Planning


def test_a_plan_is_shown_and_nothing_is_written(project: Path, call: Call) -> None:
    said = call("plan", "pass-time")
    assert said.code == 0
    assert "some time has passed" in said.out
    assert not (project / ".relight").exists()


@pytest.mark.parametrize(("form", "told"), [("markdown", "# "), ("graph", "first"), ("json", '"digest"')])
def test_a_plan_has_other_forms(form: str, told: str, project: Path, call: Call) -> None:
    said = call("plan", "pass-time", "--format", form)
    assert said.code == 0
    assert told in said.out


def test_a_plan_as_json_carries_its_digest(project: Path, call: Call) -> None:
    answer = call("plan", "pass-time", "--json").json
    assert answer["version"] == 1
    assert answer["digest"].startswith("sha256:")
    assert answer["is_blocked"] is False
    assert answer["plan"]["steps"][0]["id"] == "first"


def test_a_blocked_plan_ends_with_1(project: Path, call: Call) -> None:
    assert call("plan", "pass-time", "-i", "way=blocked").code == 1
    said = call("run", "pass-time", "-i", "way=blocked", "--yes")
    assert said.code == 1
    assert "it cannot be (wait)" in said.err
    assert not (project / ".relight" / "journal.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "no-such"),
        ("plan", "pass-time", "-i", "way"),
        ("plan", "pass-time", "-i", "nonsense=1"),
        ("plan", "pass-time", "-i", "way=a", "-i", "way=b"),
        ("plan", "pass-time", "--deadline", "4hours"),
        ("plan", "pass-time", "--deadline", "0"),
        ("plan", "pass-time", "-o", "no/such/folder/plan.json"),
        ("run", "no-such.json", "--yes"),
        ("run", "estate.json", "--yes"),
        ("resume", "last"),
        ("show", "last"),
        ("approve", "last"),
    ],
)
def test_what_cannot_be_understood_ends_with_2(arguments: tuple[str, ...], project: Path, call: Call) -> None:
    (project / "estate.json").write_text("{}")
    said = call(*arguments)
    assert said.code == 2
    assert said.err.startswith("error: ")


# Running


def test_a_run_is_carried_out_and_reported(project: Path, call: Call) -> None:
    said = call("run", "pass-time", "--yes", "--by", "ann")
    assert said.code == 0
    assert "first: done after" in said.out
    assert "some time has passed: done in" in said.out
    assert "submitted by ann" in said.out
    (line,) = call("runs", "--json").json["runs"]
    assert (line["state"], line["by"], line["runbook"]) == ("done", "ann", "pass-time")
    assert line["run"] in call("runs").out


def test_a_missed_objective_ends_with_3(project: Path, call: Call) -> None:
    said = call("run", "pass-time", "-i", "way=missed", "-i", "seconds=0.01", "--yes", "--no-wait")
    assert said.code == 5  # that it will be missed must be signed before
    call("approve", "last", "--as", "ann", "--reason", "known")
    assert call("resume", "last", "--no-wait").code == 3
    assert call("report", "--json").json["objectives_met"] is False


def test_a_run_whose_claim_is_held_ends_with_4(project: Path, call: Call) -> None:
    assert call("run", "pass-time", "-i", "way=people", "--yes", "--no-wait").code == 5
    holder = newest_run(call)
    said = call("run", "pass-time", "--yes")
    assert said.code == 4
    assert holder in said.err
    assert call("runs", "--json").json["runs"][-1]["state"] == "refused"


def test_without_a_terminal_somebody_must_have_agreed(project: Path, call: Call) -> None:
    said = call("run", "pass-time")
    assert said.code == 2
    assert "--yes" in said.err
    assert call("runs").out == "nothing has run in this project yet\n"


def test_a_no_starts_nothing(project: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    said = call("run", "pass-time")
    assert said.code == 5
    assert "nothing was started" in said.err
    assert call("runs", "--json").json["runs"] == []


def test_only_the_very_plan_that_was_read_is_started(project: Path, call: Call) -> None:
    digest = call("plan", "pass-time", "--json").json["digest"]
    said = call("run", "pass-time", "-i", "seconds=0.01", "--digest", digest)
    assert said.code == 2
    assert f"you named {digest}" in said.err
    assert call("run", "pass-time", "--digest", digest).code == 0


def test_a_kept_plan_runs(project: Path, call: Call) -> None:
    assert call("plan", "pass-time", "-o", "plan.json").code == 0
    assert call("run", "plan.json", "--yes").code == 0
    assert call("run", "plan.json", "-i", "way=plain", "--yes").code == 2


def test_a_kept_plan_of_another_estate_does_not_run(project: Path, call: Call) -> None:
    call("plan", "pass-time", "-o", "plan.json")
    kept = json.loads((project / "plan.json").read_bytes())
    (project / "plan.json").write_text(json.dumps(kept | {"estate": "other"}))
    said = call("run", "plan.json", "--yes")
    assert said.code == 2
    assert "made for the estate 'other'" in said.err


def test_ctrl_c_says_how_to_go_on(project: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def drive(self, *, wait: bool) -> RunState:
            raise KeyboardInterrupt

    monkeypatch.setattr(driving, "driver", lambda *_: Interrupted())
    said = call("run", "pass-time", "--yes")
    assert said.code == 130
    monkeypatch.undo()
    monkeypatch.chdir(project)
    run = newest_run(call)
    assert f"relight resume {run}" in said.err
    assert call("runs", "--json").json["runs"][-1]["state"] == "left"


# People


@pytest.fixture
def waiting(project: Path, call: Call) -> str:
    """A run that waits for two people."""
    said = call("run", "pass-time", "-i", "way=people", "--yes", "--no-wait")
    assert said.code == 5
    run = newest_run(call)
    assert f'relight approve {run} key --as NAME --reason "…"' in said.out
    assert f"relight resume {run}" in said.out
    return run


def test_a_run_that_waits_is_shown_with_what_it_waits_for(waiting: str, call: Call) -> None:
    answer = call("show", "last", "--json").json
    assert answer["state"] == "waits"
    assert answer["gates"] == [
        {
            "gate": "key",
            "question": "was the key turned?",
            "identities": 2,
            "approved_by": [],
            "reached_at": answer["gates"][0]["reached_at"],
            "is_open": False,
            "is_asked": True,
            "refused_by": "",
            "escalates_to": [],
            "escalates_at": None,
            "escalated_at": None,
            "expires_at": None,
            "fallback": None,
        }
    ]
    assert "0 of 2 signed" in call("show", waiting).out


def test_two_people_let_it_go_on_and_one_twice_does_not(waiting: str, call: Call) -> None:
    assert call("approve", waiting, "--as", "ann", "--reason", "turned").code == 0
    assert "ann: approve key (not judged yet)" in call("show", waiting).out
    assert call("resume", waiting, "--no-wait").code == 5
    again = call("approve", waiting, "--as", "ann", "--reason", "turned")
    assert again.code == 4
    assert "one person must still sign" in again.err
    assert call("approve", waiting, "key", "--as", "bob", "--reason", "turned").code == 0
    said = call("resume", waiting, "--no-wait")
    assert said.code == 0
    assert "signed by ann" in said.out
    assert "signed by bob" in said.out


def test_an_override_is_told_with_what_people_must_type(project: Path, call: Call) -> None:
    said = call("run", "pass-time", "-i", "way=doubtful", "--yes", "--no-wait")
    assert said.code == 5
    assert "2 different people must sign: it is odd" in said.out
    assert f"{OVERRIDE} --as NAME" in said.out
    assert call("show", "--json").json["steps"][0]["status"] == "ready"


def test_an_approval_of_another_plan_is_refused_and_on_record(waiting: str, call: Call) -> None:
    said = call("approve", waiting, "--as", "ann", "--reason", "turned", "--digest", "sha256:0")
    assert said.code == 4
    call("resume", waiting, "--no-wait")
    (told,) = call("show", waiting, "--json").json["refused_requests"]
    assert "ann" in told
    assert "sha256:0" in told


def test_who_may_not_approve_is_told_at_once(waiting: str, project: Path, call: Call) -> None:
    with (project / "estate.yaml").open("a") as estate:
        estate.write("approvers: [ada]\n")
    said = call("approve", waiting, "--as", "ann", "--reason", "turned")
    assert said.code == 4
    assert "ann is not among the estate's approvers" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--as", "ann"), "needs a reason"),
        (("kye", "--as", "ann", "--reason", "x"), "did you mean key?"),
    ],
)
def test_an_approval_that_says_too_little_ends_with_2(
    arguments: tuple[str, ...], told: str, waiting: str, call: Call
) -> None:
    said = call("approve", waiting, *arguments)
    assert said.code == 2
    assert told in said.err


def test_nothing_to_approve_is_said(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    said = call("approve", "last", "--as", "ann", "--reason", "x")
    assert said.code == 2
    assert "waits for nobody" in said.err


# Looking back


def test_a_report_has_every_step(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    answer = call("report", "--json").json
    assert answer["version"] == 1
    assert answer["objectives_met"] is True
    assert [step["step"] for step in answer["report"]["steps"]] == ["first"]
    assert "pretrain" in call("report", "last").out


def test_resuming_what_has_ended_says_so(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    said = call("resume", "last")
    assert said.code == 0
    assert "has ended" in said.err


def test_a_whole_record_verifies_against_the_witness(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    said = call("audit", "verify")
    assert said.code == 0
    assert "the witness saw event" in said.out
    answer = call("audit", "verify", "last", "--offline", "--json").json
    assert answer["is_whole"] is True
    assert "was not asked" in answer["runs"][0]["anchor"]


def test_a_changed_event_is_named(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    with closing(sqlite3.connect(project / ".relight" / "journal.db")) as db, db:
        db.execute("UPDATE events SET body = replace(body, '20', '21') WHERE sequence = 4")
    said = call("audit", "verify")
    assert said.code == 1
    assert "event 4: " in said.out
    answer = call("audit", "verify", "--json").json
    assert answer["is_whole"] is False
    assert answer["faults"][0]["sequence"] == 4


def test_a_cut_tail_shows_against_the_witness(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    with closing(sqlite3.connect(project / ".relight" / "journal.db")) as db, db:
        (last,) = db.execute("SELECT max(sequence) FROM events").fetchone()
        (head,) = db.execute("SELECT hash FROM events WHERE sequence = ?", (last - 1,)).fetchone()
        db.execute("DELETE FROM events WHERE sequence = ?", (last,))
        db.execute("UPDATE runs SET sequence = ?, head = ?, ended = 0", (last - 1, head))
    assert call("audit", "verify", "--offline").code == 0
    said = call("audit", "verify")
    assert said.code == 1
    assert "the tail was cut off" in said.out


def test_a_journal_that_is_none_is_a_fault_and_no_traceback(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    for file in (project / ".relight").glob("journal.db*"):
        file.unlink()
    (project / ".relight" / "journal.db").write_bytes(b"SQLite format 3\0" + b"nonsense" * 500)
    said = call("audit", "verify")
    assert said.code == 1
    assert "the journal" in said.out
    assert call("runs").code == 4


def test_a_run_may_be_named_by_its_end(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    run = newest_run(call)
    assert call("show", run[-4:], "--json").json["run"] == run
    assert Journal(project / ".relight" / "journal.db").row(run).ended


def test_status_shows_runs_and_what_nobody_asked(project: Path, call: Call) -> None:
    call("run", "pass-time", "--yes")
    answer = call("status", "--json").json
    assert answer["runs"][0]["state"] == "done"
    assert set(answer["sites"]) == {"north", "south"}
    assert answer["sites"]["north"]["free_gpus"] == {"known": False, "reason": "not asked"}
    said = call("status")
    assert said.code == 0
    assert "nothing could be restored" in said.out


def test_of_a_large_plan_what_is_settled_is_counted_and_not_listed(project: Path, call: Call) -> None:
    runbook = project / "runbooks" / "pass_time.py"
    many = 'steps = [Step(id=f"s{n:03}", title="pass", spec=wait) for n in range(300)]\n    steps += [\n'
    text = runbook.read_text().replace("steps = [Step(", many + "        Step(", 1)
    runbook.write_text(text)
    assert call("run", "pass-time", "-i", "way=people", "--yes", "--no-wait").code == 5
    said = call("show", "last")
    assert "s000" not in said.out
    assert "key" in said.out
    assert "301 done, 1 gated" in said.out
    assert "s000" in call("show", "last", "--all").out


def test_a_run_that_this_version_cannot_read_hides_no_other(call: Call, project: Path) -> None:
    call("run", "pass-time", "--yes")
    journal = Journal(project / ".relight" / "journal.db")
    plan = {
        "version": 1,
        "runbook": "new",
        "steps": [{"id": "a", "title": "", "spec": {"kind": "of-the-future"}}],
    }
    journal.create(RunStarted(at=datetime.now(UTC), run="new-1", by="ann", digest="", plan=plan))
    journal.close()
    said = call("runs")
    assert said.code == 0
    assert "unreadable" in said.out
    assert "some time has passed" in said.out
    assert call("status").code == 0
