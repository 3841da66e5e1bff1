"""What people ask of a run: pause, retry, skip, refuse, abort; and what they are told."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.command import Call
from rig.troubles import RUNBOOK, call_in_the_background, know_notes

RUN = ("run", "trouble", "-i", "folder=.", "--yes", "--plain")


@pytest.fixture
def trouble(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a runbook that gets stuck."""
    (project / "runbooks" / "trouble.py").write_text(RUNBOOK, encoding="utf-8")
    know_notes(monkeypatch.setattr)
    return project


@pytest.fixture
def stuck(trouble: Path, call: Call) -> str:
    """A run of which the second step has failed."""
    assert call(*RUN, "--no-wait").code == 5
    run: str = call("show", "--json").json["run"]
    return run


def steps_of(call: Call) -> dict[str, str]:
    return {step["step"]: step["status"] for step in call("show", "--json").json["steps"]}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


# Stuck


def test_a_stuck_run_says_what_people_may_type(trouble: Path, call: Call) -> None:
    said = call(*RUN, "--no-wait")
    answer = call("show", "--json").json
    run = answer["run"]
    assert answer["state"] == "waits"
    assert answer["stuck"] == ["second"]
    shown = call("show").out
    for command in (
        f"relight retry {run} second",
        f'relight skip {run} second --fact value=VALUE --reason "…"',
        f'relight abort {run} --reason "…" --undo',
    ):
        assert said.out.count(command) == 2  # as a line of what happened, and at the end
        assert command in shown
        assert any(command in wait["commands"] for wait in answer["waits"])
    assert "FileNotFoundError" in said.out
    assert call("runs", "--json").json["runs"][0]["state"] == "waits"


def test_who_takes_a_stuck_run_over_is_told_again(stuck: str, call: Call) -> None:
    said = call("resume", stuck, "--plain", "--no-wait")
    assert said.code == 5
    assert said.out.count(f"relight retry {stuck} second") == 2


def test_a_retry_goes_on_where_the_cause_is_mended(stuck: str, trouble: Path, call: Call) -> None:
    (trouble / "missing").mkdir()
    said = call("retry", stuck, "second", "--as", "ann")
    assert said.code == 0
    assert f"relight resume {stuck}" in said.out
    assert call("resume", stuck, "--plain").code == 0
    assert lines(trouble / "missing" / "lines") == 1


def test_a_skip_with_facts_brings_a_stuck_run_to_its_end(stuck: str, trouble: Path, call: Call) -> None:
    assert call("skip", stuck, "second", "--fact", "value=41", "--reason", "by hand", "--as", "ann").code == 0
    said = call("resume", stuck, "--plain")
    assert said.code == 0
    assert "ann answers for second, which counts as done: by hand" in said.out
    assert steps_of(call) == {"first": "done", "pass": "done", "second": "skipped", "third": "done"}
    assert lines(trouble / "lines") == 2
    assert "skipped by ann: by hand" in call("show").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("skip", "second", "--reason", "x"), "give --fact value=VALUE"),
        (("skip", "second", "--reason", "x", "--fact", "valeu=1"), "did you mean value?"),
        (("skip", "second", "--reason", "x", "--fact", "value"), "write --fact NAME=VALUE"),
        (("skip", "second", "--reason", "x", "--facts", "[1]"), "no JSON object"),
        (("skip", "second", "--reason", "x", "--facts", "{"), "is not JSON"),
        (("skip", "second", "--fact", "value=1"), "needs a reason"),
        (("skip", "secnd", "--reason", "x"), "did you mean second?"),
        (("retry", "secnd"), "did you mean second?"),
        (("abort", "--yes"), "needs a reason"),
        (("abort", "--reason", "x"), "say --yes"),
    ],
)
def test_what_says_too_little_ends_with_2_and_asks_nothing(
    arguments: tuple[str, ...], told: str, stuck: str, call: Call
) -> None:
    said = call(arguments[0], stuck, *arguments[1:])
    assert said.code == 2
    assert told in said.err
    assert call("show", "--json").json["open_requests"] == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("retry", "first"), "first is done"),
        (("skip", "first", "--reason", "x"), "first is done already"),
        (("skip", "second", "--reason", "x", "--fact", "value=much"), "the facts of second do not fit"),
    ],
)
def test_what_will_be_refused_is_told_at_once_and_recorded(
    arguments: tuple[str, ...], why: str, stuck: str, call: Call
) -> None:
    said = call(arguments[0], stuck, *arguments[1:], "--as", "ann")
    assert said.code == 4
    assert f"it will be refused: {why}" in said.err
    assert call("resume", stuck, "--plain", "--no-wait").code == 5
    (told,) = call("show", "--json").json["refused_requests"]
    assert told.startswith(f"ann: {arguments[0]} {arguments[1]}: {why}")


def test_who_may_not_ask_is_told(stuck: str, trouble: Path, call: Call) -> None:
    with (trouble / "estate.yaml").open("a") as estate:
        estate.write("approvers: [ada]\n")
    for verb in (("retry", "second"), ("abort", "--yes")):
        said = call(verb[0], stuck, *verb[1:], "--reason", "x", "--as", "ann")
        assert said.code == 4
        assert "ann is not among the estate's approvers (ada)" in said.err
    assert call("pause", stuck, "--as", "ann").code == 0


# Aborting


def test_an_abort_with_undo_takes_back_what_was_done(stuck: str, trouble: Path, call: Call) -> None:
    assert call("abort", stuck, "--reason", "enough", "--undo", "--yes", "--as", "ann").code == 0
    said = call("resume", stuck, "--plain")
    assert said.code == 4
    assert "what was done is taken back: enough" in said.out
    assert lines(trouble / "undone") == 1
    answer = call("show", "--json").json
    assert answer["state"] == "aborted"
    assert (answer["aborted"]["by"], answer["aborted"]["undo"]) == ("ann", True)
    assert steps_of(call)["undo.first"] == "done"
    assert answer["waits"] == []
    shown = call("show").out
    assert "aborted by ann" in shown
    assert "undo.first" in shown
    assert call("resume", stuck).code == 4
    assert call("abort", stuck, "--reason", "again", "--yes").code == 4


def test_an_abort_is_asked_about_with_what_it_means(
    stuck: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    said = call("abort", stuck, "--reason", "x", "--undo")
    assert said.code == 5
    assert "taken back: first" in said.out
    assert "stays: second: it declares no undo" in said.out
    assert "was not aborted" in said.err
    assert "--undo would take it back" in call("abort", stuck, "--reason", "x").out
    assert call("show", "--json").json["open_requests"] == []


# Saying no


def test_a_no_to_a_finding_ends_the_run_before_it_does_anything(project: Path, call: Call) -> None:
    said = call("run", "pass-time", "-i", "way=doubtful", "--yes", "--no-wait")
    assert "relight refuse pass-time" in said.out
    assert call("refuse", "last", "--as", "ann", "--reason", "it is not dark").code == 0
    said = call("resume", "last", "--plain")
    assert said.code == 4
    assert "ann said no to override:odd:x: it is not dark" in said.out
    answer = call("show", "--json").json
    assert answer["state"] == "refused"
    assert answer["gates"][0]["refused_by"] == "ann"


def test_a_no_to_a_step_leaves_the_run_to_people(project: Path, call: Call) -> None:
    call("run", "pass-time", "-i", "way=people", "--yes", "--no-wait")
    run = call("show", "--json").json["run"]
    assert call("refuse", "last", "key", "--as", "ann", "--reason", "lost the key").code == 0
    said = call("resume", "last", "--plain", "--no-wait")
    assert said.code == 5
    assert f"relight retry {run} key" in said.out
    assert f"relight approve {run} key" not in call("show").out
    late = call("approve", "last", "key", "--as", "bob", "--reason", "x")
    assert late.code == 4
    assert f"relight retry {run} key has it asked again" in late.err


def test_a_no_that_comes_too_late_is_told(project: Path, call: Call) -> None:
    call("run", "pass-time", "-i", "way=missed", "-i", "seconds=0.01", "--yes", "--no-wait")
    gate = call("show", "--json").json["gates"][0]["gate"]
    call("approve", "last", "--as", "ann", "--reason", "x")
    assert call("resume", "last", "--plain").code == 3
    said = call("refuse", "last", gate, "--as", "bob", "--reason", "x")
    assert said.code == 4
    assert "a no comes too late" in said.err


# Pausing


@pytest.fixture
def driven(trouble: Path, call: Call) -> Iterator[subprocess.Popen[str]]:
    """Another process that drives a run, whose second step lasts a while."""
    (trouble / "missing").mkdir()
    with call_in_the_background(trouble, *RUN, "-i", "seconds=0.7") as process:
        await_that(lambda: call("show").code == 0 and steps_of(call)["pass"] == "running")
        try:
            yield process
        finally:
            process.kill()


def await_that(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_pause_of_another_process_holds_a_run_until_a_resume_lifts_it(
    driven: subprocess.Popen[str], call: Call
) -> None:
    said = call("pause", "last", "--as", "ann", "--reason", "what is that smoke?")
    assert said.code == 0
    assert "paused: " in said.out
    await_that(lambda: steps_of(call)["pass"] == "done")
    again = call("pause", "last", "--as", "bob")
    assert again.code == 4
    assert "refused: it is paused already, by ann" in again.err
    assert steps_of(call)["second"] == "ready"
    answer = call("show", "--json").json
    assert answer["state"] == "waits"
    assert (answer["paused"]["by"], answer["paused"]["reason"]) == ("ann", "what is that smoke?")
    assert answer["waits"][0]["commands"] == [f"relight resume {answer['run']}"]
    assert "paused by ann" in call("show").out
    lifted = call("resume", "last", "--as", "bob")
    assert lifted.code == 0
    assert "ann paused" in lifted.out
    assert "bob lifts it" in lifted.out
    out, _ = driven.communicate(timeout=15)
    assert driven.returncode == 0
    assert "ann holds the run" in out
    assert "bob lets the run go on" in out


def test_a_request_to_a_driven_run_is_answered_at_once(driven: subprocess.Popen[str], call: Call) -> None:
    said = call("retry", "last", "first", "--as", "ann")
    assert said.code == 4
    assert said.err == "error: refused: first is done; what failed or waits for its retry can be\n"
    assert call("skip", "last", "pass", "--reason", "no time", "--as", "ann").out.startswith("pass counts as")
    driven.communicate(timeout=15)
    assert steps_of(call)["pass"] == "skipped"


def test_what_nobody_drives_is_held_and_lifted_too(stuck: str, call: Call) -> None:
    assert f"relight resume {stuck}" in call("pause", stuck, "--as", "ann").out
    said = call("resume", stuck, "--as", "bob", "--plain", "--no-wait")
    assert said.code == 5
    assert f"ann paused {stuck}; bob lifts it" in said.out
    assert call("show", "--json").json["paused"] is None


def test_who_may_not_lift_a_pause_is_told_and_it_stays(stuck: str, trouble: Path, call: Call) -> None:
    call("pause", stuck, "--as", "ann", "--reason", "wait")
    with (trouble / "estate.yaml").open("a") as estate:
        estate.write("approvers: [ada]\n")
    said = call("resume", stuck, "--as", "bob", "--plain", "--no-wait")
    assert said.code == 5
    assert "refused bob: continue: bob is not among the estate's approvers" in said.out
    assert call("show", "--json").json["paused"]["by"] == "ann"
    assert "paused by ann" in said.out
