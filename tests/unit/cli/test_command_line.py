from __future__ import annotations

import subprocess
import sys

import pytest

from relight.cli import main
from relight.errors import InvalidFile, Place, Reason
from rig.command import Call

_SLOW = ("pydantic", "rich", "httpx", "dns", "obstore", "relight.app", "relight.engine", "relight.estate")


def imported_by(code: str, names: tuple[str, ...]) -> set[str]:
    """Which of some packages are imported once the code has run."""
    script = f"import sys\n{code}\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stderr.split()
    return {name for name in names if any(f"{m}.".startswith(f"{name}.") for m in loaded)}


def test_help_imports_nothing_that_is_slow() -> None:
    code = "from relight.cli.main import run_command\nrun_command(['--help'])"
    assert imported_by(code, _SLOW) == set()


def test_resume_imports_neither_what_draws_nor_any_client() -> None:
    code = "import relight.cli.resume"
    assert imported_by(code, ("rich", "httpx", "dns", "obstore", "moto", "numpy")) == set()


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_loads_and_has_help(name: str, call: Call) -> None:
    said = call(name, "--help")
    assert said.code == 0
    assert f"relight {name}" in said.out


def test_help_names_every_command(call: Call) -> None:
    said = call("--help")
    assert said.code == 0
    for name in main.COMMANDS:
        assert f"\n  {name} " in said.out


@pytest.mark.parametrize("arguments", [(), ("plna",), ("run",), ("runs", "--newest", "x"), ("--nonsense",)])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], call: Call) -> None:
    said = call(*arguments)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_a_slip_of_the_hand_is_told_what_was_meant(call: Call) -> None:
    assert "Did you mean 'plan'?" in call("plna").err


def test_an_error_is_one_block_with_every_reason(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = (
        Reason("is no time", 'write "4h"', Place("estate.yaml", 3, 7), "workloads.a.objective.rto"),
        Reason("is missing"),
    )
    monkeypatch.setattr(main, "load", raising(InvalidFile("estate.yaml is not usable", "mend it", reasons)))
    said = call("runs")
    assert said.code == 2
    assert said.out == ""
    assert said.err.splitlines() == [
        "error: estate.yaml is not usable",
        '  estate.yaml:3:7: workloads.a.objective.rto: is no time (write "4h")',
        "  is missing",
        "  what to do: mend it",
    ]


def test_what_nobody_expected_is_one_line_and_ends_with_4(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "load", raising(KeyError("digits")))
    said = call("runs")
    assert said.code == 4
    assert said.err.startswith("error: KeyError: 'digits'\n  this is a fault of Relight's")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("arguments", [("--debug", "runs"), ("runs", "--debug")])
def test_debug_shows_where_before_or_behind_the_command(
    arguments: tuple[str, ...], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "load", raising(KeyError("digits")))
    assert "Traceback (most recent call last)" in call(*arguments).err


def test_ctrl_c_ends_with_130(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "load", raising(KeyboardInterrupt()))
    assert call("runs").code == 130


class raising:  # noqa: N801 - reads as what it does
    """Stands for loading a command, and raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __call__(self, name: str) -> None:
        raise self._error
