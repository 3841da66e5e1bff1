"""Playbooks on real hosts (sshd in network namespaces): a controller is killed, secrets are planted."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from relight.control import report_of
from relight.engine import AttemptStarted, Journal
from relight.estate import Estate
from relight.generic import Ansible, AnsibleFacts
from relight.plan import Step
from relight.supervisor import Supervisor
from rig import sshd
from rig.killing import SPAWN
from rig.kinds import plan_of, submit
from rig.playbooks import SITE, an_estate_of, drive_playbooks, files_with, watching_processes
from rig.sites import wait_until

pytestmark = [
    pytest.mark.story,
    pytest.mark.skipif(sshd.cannot_run() is not None, reason=str(sshd.cannot_run())),
]

SECRET = "planted-s3cret-4711"
HOSTS = ("n1", "n2", "n3")
_PLAYBOOK = """
- hosts: site_north
  gather_facts: false
  tasks:
    - name: begin
      ansible.builtin.shell: echo begin >> {effects}/{{{{ inventory_hostname }}}}
    - name: be given a secret, and say it aloud
      ansible.builtin.command: {{argv: [cat], stdin: "{{{{ token }}}}"}}
    - name: tell it again
      ansible.builtin.debug: {{msg: "the token is {{{{ token }}}}, {{{{ token | b64encode }}}} in base64"}}
    - name: report
      ansible.builtin.set_fact: {{relight_report: {{verdict: healthy, seen: "{{{{ token }}}}"}}}}
    - name: take a while
      ansible.builtin.command: sleep {seconds}
    - name: fail on one
      ansible.builtin.fail: {{msg: "no use with {{{{ token }}}}"}}
      when: inventory_hostname == "{failing}"
    - name: end
      ansible.builtin.shell: echo end >> {effects}/{{{{ inventory_hostname }}}}
"""


class Project:
    """A project with one playbook, and what came of it."""

    def __init__(self, root: Path, hosts: sshd.SshHosts) -> None:
        self.root = root
        self.hosts = hosts
        self.estate: Estate = an_estate_of(hosts)
        self.controllers: list[BaseProcess] = []
        self.effects = root / "effects"
        self.effects.mkdir(parents=True)
        (root / "secret").write_text(SECRET)

    def submit(self, *, seconds: float, failing: str = "", at_least: int | None = None) -> Journal:
        (self.root / "playbooks").mkdir()
        text = _PLAYBOOK.format(effects=self.effects, seconds=seconds, failing=failing)
        (self.root / "playbooks/story.yml").write_text(text)
        spec = Ansible(
            playbook="playbooks/story.yml",
            site=SITE,
            variables={"ansible_python_interpreter": sys.executable},
            secrets={"token": "file:secret"},
            environment={"ANSIBLE_TIMEOUT": "2"},
            at_least=at_least,
        )
        journal = Journal(self.root / "journal.db")
        submit(journal, plan_of(Step(id="play", title="play", spec=spec)))
        return journal

    def lines(self) -> dict[str, list[str]]:
        """What the playbook did on each host."""
        return {path.name: path.read_text().split() for path in sorted(self.effects.iterdir())}

    def leaks(self) -> list[Path]:
        """Files that hold the secret and should not; what is in memory must be gone altogether."""
        return [path for path in files_with(SECRET, self.root) if path != self.root / "secret"]

    def scratch(self) -> Path:
        """The folder in memory of the last playbook that was started."""
        *_, intent = sorted((self.root / ".relight/processes/r1/play").glob("attempt-*/intent"))
        return Path(json.loads(intent.read_bytes())["command"][-1])

    def start_controller(self) -> BaseProcess:
        """A controller in a process of its own; it has begun on every host when this returns."""
        controller = SPAWN.Process(target=drive_playbooks, args=(self.root, self.estate))
        controller.start()
        self.controllers.append(controller)
        wait_until("it began on every host", lambda: len(self.lines()) == len(HOSTS))
        return controller

    def clear_up(self) -> None:
        """Leave nothing running, whatever was going on."""
        for controller in self.controllers:
            controller.kill()
            controller.join()
        supervisor = Supervisor(self.root / ".relight/processes")
        supervisor.stop("r1", "play")
        wait_until("nothing runs any more", lambda: not _running(supervisor))


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[sshd.SshHosts]:
    (tmp_path / "sshd").mkdir()
    with sshd.ssh_hosts(tmp_path / "sshd", HOSTS) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, hosts: sshd.SshHosts) -> Iterator[Project]:
    made = Project(tmp_path / "project", hosts)
    yield made
    made.clear_up()


def test_a_playbook_goes_on_when_its_controller_is_killed_and_is_found_and_not_started_twice(
    project: Project,
) -> None:
    journal = project.submit(seconds=3)
    with watching_processes(SECRET) as seen:
        controller = project.start_controller()
        controller.kill()
        controller.join()
        assert controller.exitcode == -signal.SIGKILL
        # Nobody is left who could have started it again, and it goes on.
        wait_until("it ended on every host", lambda: all("end" in done for done in project.lines().values()))
        state = drive_playbooks(project.root, project.estate)
    assert state.ended
    assert state.ended.result == "done", state.ended.reason
    assert project.lines() == {host: ["begin", "end"] for host in HOSTS}
    facts = AnsibleFacts.model_validate(state.steps["play"].facts)
    assert (facts.ok, facts.changed, facts.failed) == (HOSTS, HOSTS, ())
    events = list(journal.events("r1"))
    assert sum(isinstance(event, AttemptStarted) for event in events) == 2, "the kill came too late"
    attempts = list((project.root / ".relight/processes/r1/play").glob("attempt-*"))
    assert len(attempts) == 1

    assert seen == []
    artifacts = project.root / facts.artifacts
    assert sorted(path.name for path in (artifacts / "reports").iterdir()) == [f"{h}.json" for h in HOSTS]
    assert "[redacted]" in (artifacts / "stdout").read_text()
    assert (artifacts / "events.jsonl").read_text().count("[redacted]") > 3
    assert project.leaks() == []
    assert SECRET not in report_of(state, events).model_dump_json()
    assert not project.scratch().exists()


def test_ok_failed_and_unreachable_are_told_apart_and_the_gate_is_ours(project: Project) -> None:
    project.hosts.hosts[1].pull_the_plug()
    project.submit(seconds=0, failing="n3", at_least=1)
    state = drive_playbooks(project.root, project.estate)
    assert state.ended
    assert state.ended.result == "done", state.ended.reason
    facts = AnsibleFacts.model_validate(state.steps["play"].facts)
    assert (facts.ok, facts.failed, facts.unreachable) == (("n1",), ("n3",), ("n2",))
    assert project.lines() == {"n1": ["begin", "end"], "n3": ["begin"]}
    assert project.leaks() == []


def test_where_too_few_are_ok_the_reason_names_each_host_and_what_it_said(project: Project) -> None:
    project.hosts.hosts[1].pull_the_plug()
    journal = project.submit(seconds=0, failing="n3")
    state = drive_playbooks(project.root, project.estate)
    assert state.ended
    assert state.ended.result == "failed"
    told = " ".join(event.model_dump_json() for event in journal.events("r1"))
    assert "1 of 3 hosts ok, 3 wanted" in told
    assert "n3 (fail on one: no use with [redacted])" in told
    assert "n2 (begin: " in told
    assert project.leaks() == []


def test_when_controller_and_runner_are_both_killed_nothing_goes_on_and_no_secret_stays(
    project: Project,
) -> None:
    project.submit(seconds=30)
    controller = project.start_controller()
    supervisor = Supervisor(project.root / ".relight/processes")
    made = project.scratch()
    assert made.stat().st_mode & 0o777 == 0o700
    controller.kill()
    controller.join()
    started = project.root / ".relight/processes/r1/play/attempt-1/started"
    command = json.loads(started.read_bytes())["command"][0]
    os.kill(command, signal.SIGKILL)
    wait_until("the keeper has cleared up", lambda: not _running(supervisor))
    assert not made.exists()
    assert _ansible_processes(project.root) == Counter()


def _running(supervisor: Supervisor) -> bool:
    process = supervisor.find("r1", "play")
    return process is not None and process.running


def _ansible_processes(root: Path) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes()
        except OSError:
            continue
        if b"ansible-playbook" in line and str(root).encode() in line:
            found[line] += 1
    return found
