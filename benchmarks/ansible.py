"""The kind `ansible`: what a call costs above ansible-runner called by hand.

Both play the same playbook, two tasks on this machine, in turns in the same run. By hand is a Python of its
own that calls `ansible_runner.run` and nothing else. Ours is from the handler's first look to the one that is
Done: secrets, inventory, a start that outlives the controller, redacted events, the judgement of each host.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.table import row
from relight.estate import Secrets
from relight.generic import Ansible
from relight.generic.ansible_handlers import AnsibleHandler
from relight.plan import Done, Process, Working
from relight.supervisor import Supervisor

TIMES = 7
_PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: "true"
    - ansible.builtin.debug: {msg: "{{ token }}"}
"""
_BY_HAND = """
import sys, ansible_runner
runner = ansible_runner.run(
    private_data_dir=sys.argv[1], playbook=sys.argv[2], quiet=True, inventory="here ansible_connection=local",
    extravars={"token": "hunter2", "ansible_python_interpreter": sys.executable},
)
sys.exit(runner.rc)
"""


class Attempt:
    """A context with real processes: one attempt of a step of its own."""

    run, attempt = "bench", 1

    def __init__(self, supervisor: Supervisor, step: str) -> None:
        self._supervisor = supervisor
        self.step = step
        self.started_at = datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def check(self) -> None:
        """The lease is ours."""

    def find_process(self) -> Process | None:
        return self._supervisor.find(self.run, self.step)

    def start_process(self, command: tuple[str, ...], environment: dict[str, str], folder: str) -> None:
        self._supervisor.start(self.run, self.step, command, environment, folder)


def ours(root: Path, number: int) -> float:
    world: Any = SimpleNamespace(estate=None, secrets=Secrets(root), project=root)
    context: Any = Attempt(Supervisor(root / ".relight/processes"), f"s{number}")
    spec = Ansible(
        playbook="playbook.yml",
        hosts=("here",),
        variables={"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        secrets={"token": "file:secret"},
    )
    handler = AnsibleHandler(world)
    began = time.perf_counter()
    while isinstance(outcome := handler.attempt(spec, context), Working):
        time.sleep(outcome.check_in.total_seconds())
    assert isinstance(outcome, Done), outcome
    return time.perf_counter() - began


def by_hand(root: Path, number: int) -> float:
    private = root / f"by-hand-{number}"
    private.mkdir()
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(Path.home()), "LC_ALL": "C.UTF-8", "ANSIBLE_PIPELINING": "True"}
    command = [sys.executable, "-c", _BY_HAND, str(private), str(root / "playbook.yml")]
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True)
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "playbook.yml").write_text(_PLAYBOOK)
        (root / "secret").write_text("hunter2-hunter2")
        by_hand(root, TIMES)
        pairs = [(ours(root, number), by_hand(root, number)) for number in range(TIMES)]
    kind, hand = (statistics.median(values) for values in zip(*pairs, strict=True))
    over = statistics.median(kind_s - hand_s for kind_s, hand_s in pairs)
    row("a playbook of two tasks, by the kind ansible", f"{kind:.2f} s", f"by hand {hand:.2f} s")
    row("  overhead a call, median of the differences", f"{over:.2f} s", "wanted: under 0.3 s")


if __name__ == "__main__":
    main()
