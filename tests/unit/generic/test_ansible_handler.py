"""The kind `ansible`: what a playbook's end means, and real playbooks on this machine."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.errors import LeaseLost, Unreachable, UsageError
from relight.estate import Secrets
from relight.generic import Ansible, AnsibleFacts, ansible_handlers
from relight.generic.ansible_handlers import AnsibleHandler, judge
from relight.plan import SCRATCH, Context, Done, Failed, Limits, Outcome, Process, Retry, Working
from relight.supervisor import Supervisor
from rig.context import FakeContext
from rig.estates import an_estate

_LOCAL: dict[str, Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
_HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"


class World:
    def __init__(self, project: Path) -> None:
        self.project = project
        self.secrets = Secrets(project)
        self.estate = an_estate()


@dataclass
class Supervised(FakeContext):
    """A context whose processes are real."""

    supervisor: Supervisor | None = None

    def find_process(self) -> Process | None:
        return self.supervisor.find(self.run, self.step) if self.supervisor else self.process

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        assert self.supervisor
        self.started.append((command, environment, folder))
        self.supervisor.start(self.run, self.step, command, environment, folder, attempt=self.attempt)

    def stop_process(self) -> None:
        assert self.supervisor
        self.supervisor.stop(self.run, self.step)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "secret").write_text("hunter2-{{ 7 * 6 }}\n")
    return World(tmp_path)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(supervisor=Supervisor(tmp_path / ".relight/processes", grace=timedelta(seconds=3)))
    yield made
    made.stop_process()


def playbook(world: World, tasks: str, head: str = _HEAD) -> None:
    (world.project / "playbooks/p.yml").write_text(head + tasks)


def spec(**fields: Any) -> Ansible:
    return Ansible(**{"playbook": "playbooks/p.yml", "hosts": ("a", "b"), "variables": _LOCAL} | fields)


def finish(world: World, spec: Ansible, context: Context) -> Outcome:
    deadline = time.monotonic() + 30
    # A new handler each time: it holds nothing between looks.
    while isinstance(outcome := AnsibleHandler(world).attempt(spec, context), Working):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return outcome


def artifacts_of(world: World, outcome: Outcome) -> Path:
    assert isinstance(outcome, Done)
    assert isinstance(outcome.facts, AnsibleFacts)
    return world.project / outcome.facts.artifacts


# Real playbooks


def test_a_playbook_is_given_variables_and_secrets_as_they_are_and_leaves_no_trace_of_these(
    world: World, context: Supervised
) -> None:
    playbook(
        world,
        "    - ansible.builtin.copy:\n"
        "        content: '{{ token }} {{ plain }}'\n"
        "        dest: '{{ playbook_dir }}/{{ inventory_hostname }}.out'\n"
        "      no_log: true\n"
        "    - ansible.builtin.debug: {msg: 'it is {{ token }}'}\n"
        '    - ansible.builtin.debug: {msg: \'{{ lookup("pipe", "ulimit -c; ulimit -n") }}\'}\n',
    )
    wanted = spec(
        secrets={"token": "file:secret"},
        variables=_LOCAL | {"plain": ["x", 1]},
        limits=Limits(open_files=500),
        environment={"ANSIBLE_TIMEOUT": "3"},
    )
    outcome = finish(world, wanted, context)
    artifacts = artifacts_of(world, outcome)
    assert outcome == Done(
        AnsibleFacts(ok=("a", "b"), changed=("a", "b"), artifacts=str(artifacts.relative_to(world.project)))
    )
    assert [path.read_text() for path in world.project.rglob("*.out")] == ["hunter2-{{ 7 * 6 }} ['x', 1]"] * 2
    stdout = (artifacts / "stdout").read_text()
    assert "it is [redacted]" in stdout
    assert "0\\n500" in stdout
    leaks = [p for p in (world.project / ".relight").rglob("*") if p.is_file() and "hunter2" in p.read_text()]
    assert leaks == []
    assert not Path(context.started[0][1][SCRATCH]).exists()
    # The next controller takes the end as it stands.
    assert finish(world, wanted, replace(context, attempt=2)) == outcome
    assert len(context.started) == 1


def test_a_look_changes_nothing_and_tags_choose(world: World, context: Supervised) -> None:
    playbook(
        world,
        "    - ansible.builtin.copy: {content: x, dest: '{{ playbook_dir }}/{{ inventory_hostname }}.out'}\n"
        "      tags: [wanted]\n"
        "    - ansible.builtin.fail: {msg: 'not this one'}\n",
    )
    outcome = finish(world, spec(check=True, tags=("wanted",)), context)
    assert isinstance(outcome, Done), outcome
    assert list(world.project.rglob("*.out")) == []
    assert "+++ after" in (artifacts_of(world, outcome) / "stdout").read_text()


def test_a_playbook_that_is_stopped_leaves_its_hosts_cancelled(world: World, context: Supervised) -> None:
    playbook(world, "    - ansible.builtin.command: sleep 60\n")
    AnsibleHandler(world).attempt(spec(), context)
    scratch = Path(context.started[0][1][SCRATCH])
    deadline = time.monotonic() + 20
    while not (process := context.find_process()) or "task 1" not in str(process.progress):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    context.stop_process()
    outcome = finish(world, spec(), context)
    assert isinstance(outcome, Retry)
    assert "the playbook was stopped: 0 of 2 hosts ok, 2 wanted. cancelled: a, b" in outcome.reason
    assert not scratch.exists()


def test_what_is_no_playbook_fails_with_what_ansible_said_about_it(world: World, context: Supervised) -> None:
    playbook(world, "    - no.such.module: {}\n")
    outcome = finish(world, spec(at_least=0), context)
    assert isinstance(outcome, Failed)
    assert "nothing was played" in outcome.reason
    assert "no.such.module" in outcome.reason


def test_a_failure_on_a_host_that_was_not_named_fails_the_step(world: World, context: Supervised) -> None:
    playbook(
        world, "    - ansible.builtin.debug:\n- hosts: localhost\n  gather_facts: false\n  tasks: [fail: ]\n"
    )
    outcome = finish(world, spec(), context)
    assert isinstance(outcome, Failed)
    assert "failed outside of the batch: localhost" in outcome.reason


# Before it starts


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"playbook": "playbooks/other.yml"}, "no playbooks/other.yml"),
        ({"at_least": 3}, "3 hosts are wanted"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_started(
    world: World, fields: dict[str, Any], told: str
) -> None:
    playbook(world, "")
    context = FakeContext()
    outcome = AnsibleHandler(world).attempt(spec(**fields), context)
    assert isinstance(outcome, Failed)
    assert told in outcome.reason
    assert context.started == []


def test_without_ansible_it_says_what_to_install(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    playbook(world, "")
    monkeypatch.setattr(ansible_handlers, "find_spec", lambda _: None)
    outcome = AnsibleHandler(world).attempt(spec(), FakeContext())
    assert isinstance(outcome, Failed)
    assert "relight[ansible]" in outcome.remedy


def test_who_has_lost_the_lease_writes_no_secret_and_starts_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    playbook(world, "")
    monkeypatch.setattr(ansible_handlers, "make_scratch", lambda **_: pytest.fail("a secret may be written"))
    context = FakeContext(may_act=False)
    with pytest.raises(LeaseLost):
        AnsibleHandler(world).attempt(spec(secrets={"token": "file:secret"}), context)
    assert context.started == []


class _Refusing(FakeContext):
    def start_process(self, *arguments: Any) -> None:
        self.started.append(arguments)
        raise self.error

    error: Exception = UsageError("no")


def test_a_start_that_failed_takes_its_secrets_along_and_one_that_may_have_happened_does_not(
    world: World,
) -> None:
    playbook(world, "")
    for error, stays in ((UsageError("no"), False), (Unreachable("said nothing"), True)):
        context = _Refusing()
        context.error = error
        with pytest.raises(type(error)):
            AnsibleHandler(world).attempt(spec(secrets={"token": "file:secret"}), context)
        scratch = Path(context.started[0][1][SCRATCH])
        assert scratch.exists() == stays
        if stays:
            assert json.loads((scratch / "call.json").read_text())["secrets"]["token"].startswith("hunter2")
            (scratch / "call.json").unlink()
            scratch.rmdir()


def test_no_secret_is_in_the_command_or_the_environment(world: World) -> None:
    playbook(world, "")
    context = FakeContext()
    AnsibleHandler(world).attempt(
        spec(secrets={"token": "file:secret"}, vault_password="file:secret"), context
    )
    ((command, environment, folder),) = context.started
    assert "hunter2" not in f"{command}{environment}"
    assert folder == str(world.project)
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    scratch = Path(environment[SCRATCH])
    (scratch / "call.json").unlink()
    scratch.rmdir()


# The gate

_FACTS = AnsibleFacts(ok=("a", "b", "c"), failed=("d",), unreachable=("e", "f"), artifacts="x")
_RESULT: dict[str, Any] = {"exit_status": 2, "elsewhere": [], "messages": {"d": "t: no space"}}


@pytest.mark.parametrize(
    ("at_least", "expected"),
    [(0, Done), (3, Done), (4, Retry), (5, Retry), (6, Failed), (None, Failed)],
)
def test_the_gate_counts_hosts_that_are_ok_and_waits_only_for_those_out_of_reach(
    at_least: int | None, expected: type[Outcome]
) -> None:
    outcome = judge(_FACTS, at_least, _RESULT)
    assert isinstance(outcome, expected)
    if isinstance(outcome, (Retry, Failed)):
        assert "failed: d (t: no space). unreachable: e, f" in outcome.reason


def test_a_reason_names_no_more_hosts_than_a_person_reads() -> None:
    many = tuple(f"n{number}" for number in range(500))
    outcome = judge(AnsibleFacts(ok=(), failed=many, artifacts="x"), None, _RESULT)
    assert isinstance(outcome, Failed)
    assert "n9 and 490 more" in outcome.reason


@pytest.mark.parametrize(
    ("status", "expected"), [(None, Retry), (-9, Retry), (75, Retry), (127, Failed), (1, Failed)]
)
def test_a_playbook_that_left_no_result_is_taken_up_again_unless_that_is_of_no_use(
    world: World, status: int | None, expected: type[Outcome]
) -> None:
    playbook(world, "")
    context = FakeContext(
        process=Process(running=False, exit_status=status, output="said", artifacts=world.project)
    )
    outcome = AnsibleHandler(world).attempt(spec(), context)
    assert isinstance(outcome, expected)
    assert context.started == []
    later = replace(context, attempt=2)
    assert isinstance(AnsibleHandler(world).attempt(spec(), later), Working)
    (scratch,) = {Path(environment[SCRATCH]) for _, environment, _ in later.started}
    (scratch / "call.json").unlink()
    scratch.rmdir()
