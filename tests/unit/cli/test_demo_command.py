from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from relight.cli import demo
from rig.command import Call


def test_without_its_extra_the_demo_says_what_to_install(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name in ("moto", "sklearn") else object())
    said = call("demo")
    assert said.code == 2
    assert "moto, scikit-learn" in said.err
    assert "relight[demo]" in said.err


def test_the_demo_is_told_about_without_its_extra(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy", "sklearn", "moto"):
        monkeypatch.setitem(sys.modules, name, None)
    assert call("demo", "--help").code == 0


@pytest.mark.parametrize(
    "toy", [("--kill", "north"), ("--rebuild", "north"), ("--heal", "north"), ("--stop",)]
)
def test_there_is_nothing_to_play_with_where_no_demo_was_kept(
    toy: tuple[str, ...], tmp_path: Path, call: Call
) -> None:
    said = call("demo", "--folder", str(tmp_path), *toy)
    assert said.code != 0
    assert "no sandbox in" in said.err


def test_a_signal_to_end_is_taken_as_ctrl_c_and_given_back_after() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), demo._ended_by(signal.SIGTERM):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
