"""Carries out the kind `ansible`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from relight.errors import RelightError, Unreachable, UsageError
from relight.estate import Estate, Secrets
from relight.generic import ansible_call
from relight.generic.ansible_inventory import hosts_of, make_inventory
from relight.generic.ansible_steps import Ansible, AnsibleFacts
from relight.generic.scratch import make_scratch, sweep
from relight.plan import SCRATCH, Context, Done, Failed, Outcome, Process, Progress, Retry, Working

_SOONEST, _LATEST = timedelta(seconds=0.1), timedelta(seconds=1)  # looks at a playbook that runs
_CALL = str(Path(ansible_call.__file__))
_CANCELLED = 254
_NAMED = 10  # hosts in the reason of a failure
_VERDICTS = ("ok", "changed", "failed", "unreachable", "cancelled")
_DEFAULTS = {
    "ANSIBLE_PIPELINING": "True",  # half the time over SSH; a sudo with requiretty needs it off
    "ANSIBLE_NOCOLOR": "True",
    "LC_ALL": "C.UTF-8",  # Ansible refuses to start without UTF-8
}


class Playing(Protocol):
    """The estate, where secrets are resolved, and the project's root."""

    estate: Estate
    secrets: Secrets
    project: Path


class AnsibleHandler:
    """Plays the playbook as the step's process, and judges what became of each host."""

    def __init__(self, world: Playing) -> None:
        self._world = world

    def attempt(self, spec: Ansible, context: Context) -> Outcome:
        """See Handler.attempt."""
        process = context.find_process()
        if process is not None:
            outcome = self._conclude(spec, process, context)
            ended_before = not process.running and process.attempt < context.attempt
            if isinstance(outcome, Done) or not ended_before:
                return outcome
        if find_spec("ansible_runner") is None:
            return Failed("ansible-runner is not installed", "pip install 'relight[ansible]'")
        if not (self._world.project / spec.playbook).is_file():
            return Failed(f"the project has no {spec.playbook}", "name another playbook, or write this one")
        hosts = hosts_of(spec, self._world.estate)
        if spec.at_least is not None and spec.at_least > len(hosts):
            return Failed(f"{spec.at_least} hosts are wanted, and {len(hosts)} named", "correct the step")
        self._start(spec, hosts, context)
        return Working(_SOONEST, Progress(note=f"{spec.playbook} was started on {_count(hosts)}"))

    def _start(self, spec: Ansible, hosts: tuple[str, ...], context: Context) -> None:
        call = {
            "playbook": str(self._world.project / spec.playbook),
            "project": str(self._world.project),
            "inventory": make_inventory(spec, self._world.estate, hosts, self._world.project),
            "secrets": {name: self._world.secrets.resolve(ref) for name, ref in spec.secrets.items()},
            "vault_password": spec.vault_password and self._world.secrets.resolve(spec.vault_password),
            "hosts": hosts,
            **spec.model_dump(mode="json", include={"variables", "tags", "skip_tags", "forks", "check"}),
        }
        sweep()
        context.check()
        holds_secrets = bool(spec.secrets or spec.vault_password)
        scratch = make_scratch(allow_disk=spec.secrets_on_disk or not holds_secrets)
        try:
            (scratch / "call.json").write_text(json.dumps(call), encoding="utf-8")
            context.start_process(
                (sys.executable, "-P", _CALL, str(scratch)),
                _environment(spec, scratch),
                str(self._world.project),
            )
        except Unreachable:
            raise  # it may run after all: the folder is its own now, or the next sweep's
        except (RelightError, OSError) as error:
            shutil.rmtree(scratch, ignore_errors=True)
            if isinstance(error, OSError):
                raise UsageError(f"cannot write to {scratch}: {error.strerror}", "is there space?") from None
            raise

    def _conclude(self, spec: Ansible, process: Process, context: Context) -> Outcome:
        """What the playbook's process, as it stands, means for the attempt."""
        if process.running:
            # An end is noticed late by a fiftieth of the time it took.
            soon = min(_LATEST, max(_SOONEST, (context.now() - context.started_at) / 50))
            return Working(soon, process.progress or Progress(note="the playbook runs"))
        result = _result_of(process)
        if result is None:
            return _without_result(process)
        artifacts = _below(process.artifacts, self._world.project)
        facts = AnsibleFacts(artifacts=artifacts, **{name: result[name] for name in _VERDICTS})
        if not result["played"] and result["exit_status"] != _CANCELLED:
            end = "\n".join(result["tail"])
            return Failed(
                f"nothing was played (exit status {result['exit_status']}): {end}", _look_at(artifacts)
            )
        return judge(facts, spec.at_least, result)


def judge(facts: AnsibleFacts, at_least: int | None, result: Mapping[str, Any]) -> Outcome:
    """Whether enough hosts are ok.

    Ansible's max_fail_percentage is no such gate: it passes over hosts that are unreachable.
    """
    batch = (*facts.ok, *facts.failed, *facts.unreachable, *facts.cancelled)
    wanted = len(batch) if at_least is None else at_least
    elsewhere: list[str] = result["elsewhere"]
    if len(facts.ok) >= wanted and not elsewhere:
        return Done(facts)
    parts = [
        f"{word}: {_named(hosts, result['messages'])}"
        for word, hosts in (
            ("failed", facts.failed),
            ("failed outside of the batch", elsewhere),
            ("unreachable", facts.unreachable),
            ("cancelled", facts.cancelled),
        )
        if hosts
    ]
    reason = f"{len(facts.ok)} of {_count(batch)} ok, {wanted} wanted. " + ". ".join(parts)
    if result["exit_status"] == _CANCELLED:
        return Retry(f"the playbook was stopped: {reason}")
    if len(facts.ok) + len(facts.unreachable) >= wanted and not elsewhere:
        return Retry(reason)
    return Failed(reason, _look_at(facts.artifacts))


def _without_result(process: Process) -> Outcome:
    end = process.output.strip()[-2000:]
    if process.exit_status == ansible_call.NO_PLAYBOOK_COMMAND:
        return Failed("there is no ansible-playbook beside Python", "pip install 'relight[ansible]'")
    if process.exit_status is None:
        return Retry("the playbook's process vanished (was the machine restarted?)")
    if process.exit_status < 0 or process.exit_status == ansible_call.NOTHING_DONE:
        return Retry(f"the playbook was cut off (exit status {process.exit_status}): {end}")
    return Failed(f"ansible-runner broke (exit status {process.exit_status}): {end}", "see the output above")


def _result_of(process: Process) -> dict[str, Any] | None:
    # Asked even where nobody saw how the process ended: with its keeper killed it may have come to its end.
    if process.artifacts is None:
        return None
    try:
        result: dict[str, Any] = json.loads((process.artifacts / "result.json").read_bytes())
    except FileNotFoundError:
        return None
    return result


def _environment(spec: Ansible, scratch: Path) -> dict[str, str]:
    """Of Ansible: what may be changed, what the step says, and what keeps secrets off disks and logs."""
    return {
        **_DEFAULTS,
        "PATH": _path(),
        **spec.environment,
        "ANSIBLE_HOST_KEY_CHECKING": "True",  # ansible-runner would turn it off; the inventory decides
        "ANSIBLE_LOCAL_TEMP": str(scratch / "tmp"),  # where templates are filled in
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(scratch / "cp"),
        "ANSIBLE_LOG_PATH": "/dev/null",
        "ANSIBLE_NO_TARGET_SYSLOG": "True",  # modules would write their arguments to the nodes' logs
        SCRATCH: str(scratch),
        **(spec.limits.environment() if spec.limits else {}),
    }


def _path() -> str:
    """With Python's own folder first: the ansible-playbook beside it is the one that fits ansible-runner."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _named(hosts: Iterable[str], messages: Mapping[str, str]) -> str:
    hosts = tuple(hosts)
    shown = [f"{host} ({messages[host]})" if host in messages else host for host in hosts[:_NAMED]]
    return ", ".join(shown) + (f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else "")


def _count(hosts: tuple[str, ...]) -> str:
    return f"{len(hosts)} host{'' if len(hosts) == 1 else 's'}"


def _below(folder: Path | None, root: Path) -> str:
    if folder is None:
        return ""
    return str(folder.relative_to(root)) if folder.is_relative_to(root) else str(folder)


def _look_at(artifacts: str) -> str:
    return f"stdout and events.jsonl in {artifacts} say all; correct it, then retry the step"
