"""The role itself, played by a step on this machine, with tools that say what tests/cases/node_health has."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relight.estate import Secrets
from relight.generic import Ansible, AnsibleFacts
from relight.generic.ansible_handlers import AnsibleHandler
from relight.plan import Done, Failed, Outcome, Process, Working
from relight.supervisor import Supervisor
from rig.context import FakeContext

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests/cases/node_health"


class Attempt(FakeContext):
    """A context whose processes are real."""

    def __init__(self, supervisor: Supervisor, step: str) -> None:
        super().__init__(step=step)
        self._supervisor = supervisor

    def find_process(self) -> Process | None:
        return self._supervisor.find(self.run, self.step)

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        self._supervisor.start(self.run, self.step, command, environment, folder)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    tools = tmp_path / "tools"
    tools.mkdir()
    smi = f'case "$1" in nvlink) cat {CASES}/nvlink.txt;; *) cat {CASES}/nvidia-smi.xml;; esac'
    for name, script in (
        ("nvidia-smi", smi),
        ("chronyc", f"cat {CASES}/chrony.txt"),
        ("journalctl", "echo no journal; exit 1"),
        ("dmesg", f"cat {CASES}/kernel.txt"),
        ("smartctl", "sleep 60"),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    yield tmp_path
    for step in ("look", "count-out"):
        Supervisor(tmp_path / ".relight").stop("run-1", step)


def play(project: Path, step: str, **fields: Any) -> Outcome:
    world: Any = SimpleNamespace(estate=None, secrets=Secrets(project), project=project)
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "node_health_seconds": 2,
        **fields.pop("variables", {}),
    }
    spec = Ansible(playbook="playbooks/node_health.yml", hosts=("n1",), variables=variables, **fields)
    context = Attempt(Supervisor(project / ".relight"), step)
    deadline = time.monotonic() + 40
    while isinstance(outcome := AnsibleHandler(world).attempt(spec, context), Working):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return outcome


def test_a_look_leaves_a_report_of_each_node_and_changes_nothing(project: Path) -> None:
    outcome = play(project, "look", check=True)
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.facts, AnsibleFacts)
    assert outcome.facts.changed == ()
    report = json.loads((project / outcome.facts.artifacts / "reports/n1.json").read_text())
    checks = {one["check"]: one["state"] for one in report["checks"]}
    assert report["verdict"] == "unfit"
    assert checks["xid79"] == "bad", "from dmesg, as there is no journal"
    assert checks["clock"] == "ok"
    assert checks["gpu0.recovery"] == "ok"
    assert len(report["gpus"]) == 2
    assert not [name for name, state in checks.items() if name.startswith("disk") and state != "unknown"]


def test_a_node_that_is_unfit_is_counted_out_with_the_reason(project: Path) -> None:
    outcome = play(project, "count-out", variables={"node_health_fail_on": "unfit", "node_health_gpus": 4})
    assert isinstance(outcome, Failed)
    assert "0 of 1 host ok, 1 wanted" in outcome.reason
    assert "the driver sees 2 of 4 GPUs" in outcome.reason
