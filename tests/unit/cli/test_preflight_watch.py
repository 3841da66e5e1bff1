"""Alerts of `relight preflight --every`: told to a command, and told again where it did not take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight.cli.main import run_command
from relight.cli.preflight_watch import Alarm, tell
from relight.control.changes import Change
from relight.control.preflight import CheckResult
from relight.errors import UsageError
from rig.estates import NOW


def a_change(name: str) -> Change:
    check = CheckResult(
        name=name,
        status="failed",
        reason="no answer",
        remedy="is it up?",
        milliseconds=1,
        needed_by=("p(x)",),
    )
    return Change(at=NOW, word="began to fail", check=check)


def script(folder: Path, text: str) -> str:
    path = folder / "alert"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def test_an_alert_is_told_what_changed_why_and_which_plans_would_not_work(tmp_path: Path) -> None:
    alarm = Alarm(script(tmp_path, f"cat >> {tmp_path}/told"))
    alarm.tell([])
    assert not (tmp_path / "told").exists()
    alarm.tell([a_change("a works")])
    said = (tmp_path / "told").read_text()
    assert said.startswith("2026-03-01 03:00:00 UTC  began to fail: a works\n")
    assert [line.strip() for line in said.splitlines()[1:]] == [
        "no answer",
        "what to do: is it up?",
        "p(x) would not work as planned",
    ]


def test_an_alert_that_was_not_taken_is_told_with_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alarm = Alarm(script(tmp_path, f"test -e {tmp_path}/up && cat > {tmp_path}/told"))
    alarm.tell([a_change("a")])
    assert "tried again" in capsys.readouterr().err
    (tmp_path / "up").touch()
    alarm.tell([])
    assert "began to fail: a" in (tmp_path / "told").read_text()
    (tmp_path / "told").unlink()
    alarm.tell([])
    assert not (tmp_path / "told").exists()


def test_an_alert_that_is_no_command_is_told_at_the_start() -> None:
    for command in ("/no/such/command", 'echo "', ""):
        with pytest.raises(UsageError, match="--alert"):
            Alarm(command)


def test_a_change_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    tell([a_change("a"), a_change("b")], as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert '"change":"began to fail"' in lines[0]


@pytest.mark.parametrize("options", [["--every", "0"], ["--every", "soon"], ["--alert", "cat"]])
def test_options_that_make_no_sense_are_wrong_usage(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "estate.yaml").touch()
    assert run_command(["-C", str(tmp_path), "preflight", *options]) == 2
