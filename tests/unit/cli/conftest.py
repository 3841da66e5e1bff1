"""A small project whose runbook needs no site, and the command called on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight import app
from relight.cli.main import run_command
from relight.engine.fake import MemoryAnchors, MemoryClaims
from rig.command import RUNBOOK, Call, Said

_ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as a pipe is: who runs the tests in parallel sets a narrower terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current folder, in a world without any site; the witness is in memory."""
    root = tmp_path / "project"
    (root / "runbooks").mkdir(parents=True)
    estate = (_ROOT / "examples" / "two-sites.yaml").read_text(encoding="utf-8")
    (root / "estate.yaml").write_text(estate.partition("\napprovers:")[0] + "\n", encoding="utf-8")
    (root / "runbooks" / "pass_time.py").write_text(RUNBOOK, encoding="utf-8")
    claims, anchors = MemoryClaims(), MemoryAnchors()
    monkeypatch.setattr(app.World, "claims", lambda _: claims)
    monkeypatch.setattr(app.World, "anchors", lambda _: anchors)
    monkeypatch.setattr(app, "PROBES", ())
    monkeypatch.delenv("RELIGHT_PROJECT", raising=False)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the command as a shell does; nobody sits at the keyboard."""

    def made(*arguments: str) -> Said:
        capsys.readouterr()
        code = run_command(arguments)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return made


@pytest.fixture
def new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in, as a new user does."""
    monkeypatch.delenv("RELIGHT_PROJECT", raising=False)
    folder = tmp_path / "new"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
