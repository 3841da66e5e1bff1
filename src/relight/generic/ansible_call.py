"""Plays one playbook: the inside of the kind `ansible`.

Run as `python ansible_call.py SCRATCH` by the handler, with the scratch folder in memory that holds all it
needs (`call.json`, which has secrets) and RELIGHT_ARTIFACTS in the environment. It imports nothing of
Relight, which would take longer than all else here.

What it keeps in RELIGHT_ARTIFACTS is redacted: `events.jsonl` (Ansible's events, one a line), `stdout`,
`reports/HOST.json` (the fact `relight_report`, where a playbook sets it) and at last `result.json`. Its own
output is progress. It ends as ansible-playbook did: 0, 2 a host failed, 4 one was unreachable; else 254
cancelled, 127 there is no ansible-playbook, 75 the scratch folder was gone before anything was done.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

NO_PLAYBOOK_COMMAND, NOTHING_DONE = 127, 75
REDACTED = "[redacted]"
REPORT = "relight_report"
_SHORTEST_REDACTED = 4  # as relight.estate.Secrets has it
_SHORTEST_LINE = 8  # of a value of several lines, as keys are
_EVENTS_BYTES = 64 * 2**20  # beyond it only what went wrong is kept
_EVENT_BYTES = 256 * 2**10
_STDOUT_BYTES = 16 * 2**20
_MESSAGE = 300  # characters
_TELL_SECONDS = 0.5
_WRONG = {"runner_on_failed", "runner_on_unreachable", "playbook_on_stats", "error"}
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Redactor:
    """Blanks secrets in whatever Ansible says, however it has written them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def clean(self, value: Any) -> Any:
        """A JSON-like value without any secret, keys and numbers included."""
        if self._pattern is None or value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._pattern.sub(REDACTED, value)
        if isinstance(value, dict):
            return {self.clean(key): self.clean(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.clean(inner) for inner in value]
        return REDACTED if self._pattern.search(str(value)) else value


def _forms(secret: str) -> set[str]:
    if len(secret) < _SHORTEST_REDACTED:
        return set()
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {repr(secret)[1:-1], quote(secret), quote(secret, safe="")}
    forms.add(base64.b64encode(secret.encode(errors="surrogateescape")).decode())
    forms |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    return forms


class Tally:
    """What became of each host, from Ansible's events."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = list(hosts)
        self._stats: dict[str, Any] | None = None
        self._broken: dict[str, str] = {}  # "failed" or "unreachable", of those that have not gone on since
        self._changed: set[str] = set()
        self._in_play: set[str] = set()
        self._cut_off: set[str] = set()
        self._task, self._tasks, self._done = "", 0, 0
        self.messages: dict[str, str] = {}

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take one event in."""
        host = str(data.get("host", ""))
        match kind:
            case "playbook_on_play_start":
                self._in_play = set()
            case "playbook_on_task_start":
                self._task, self._tasks, self._done = str(data.get("task", "")), self._tasks + 1, 0
            case "runner_on_start":
                self._in_play.add(host)
            case "runner_on_ok" | "runner_on_skipped":
                self._done += 1
                self._in_play.add(host)
                self._broken.pop(host, None)
                if (data.get("res") or {}).get("changed"):
                    self._changed.add(host)
            case "runner_on_failed" | "runner_on_unreachable":
                self._done += 1
                if not data.get("ignore_errors"):
                    self._broken[host] = kind.removeprefix("runner_on_")
                    self.messages[host] = _message(data)
            case "playbook_on_no_hosts_remaining":
                # Of this play's hosts those without a fault did not come to its end either.
                self._cut_off |= self._in_play - set(self._broken)
            case "playbook_on_stats":
                self._stats = data

    def result(self) -> dict[str, Any]:
        """Each host of the batch in one list, and what went wrong on hosts outside of it."""
        verdicts = {host: self._verdict(host) for host in self._hosts}
        wrong = (
            {*self._broken} if self._stats is None else {*self._counted("failures"), *self._counted("dark")}
        )
        changed = self._changed if self._stats is None else self._counted("changed")
        lists = {
            name: [host for host in self._hosts if verdicts[host] == name]
            for name in ("ok", "failed", "unreachable", "cancelled")
        }
        return {
            **lists,
            "changed": [host for host in lists["ok"] if host in changed],
            "elsewhere": sorted(wrong - set(self._hosts)),
            "messages": {host: self.messages[host] for host in sorted(wrong & set(self.messages))},
            "played": self._tasks > 0 or self._stats is not None,
        }

    def progress(self) -> str:
        """How far it is, for people; nobody knows how many tasks there will be."""
        told = f"task {self._tasks}, {self._task or 'starting'}: {self._done} of {len(self._hosts)} hosts"
        for verdict in ("failed", "unreachable"):
            count = list(self._broken.values()).count(verdict)
            told += f", {count} {verdict}" if count else ""
        return told

    def _verdict(self, host: str) -> str:
        if self._stats is None:
            return self._broken.get(host, "cancelled")
        if host in self._counted("failures"):
            return "failed"
        if host in self._counted("dark"):
            return "unreachable"
        return "ok" if host in self._counted("processed") and host not in self._cut_off else "cancelled"

    def _counted(self, what: str) -> set[str]:
        return {host for host, count in ((self._stats or {}).get(what) or {}).items() if count}


def _message(data: dict[str, Any]) -> str:
    """The words of a result that a person wants to see first, in one line."""
    result = data.get("res") or {}
    failed_items = [
        item for item in result.get("results") or [] if isinstance(item, dict) and item.get("failed")
    ]
    for found in (*failed_items, result):
        texts = [str(found[key]) for key in ("msg", "stderr", "module_stderr", "censored") if found.get(key)]
        if texts:
            words = " ".join(": ".join(texts[:2]).split())
            return f"{data.get('task') or 'connecting'}: {words[:_MESSAGE]}"
    return str(data.get("task") or "it says nothing")


class Recorder:
    """Keeps redacted events, output and reports; tells progress, even while one host hangs for hours."""

    def __init__(self, folder: Path, redactor: Redactor, tally: Tally) -> None:
        self._folder = folder
        self._redactor = redactor
        self._tally = tally
        self._events = (folder / "events.jsonl").open("w", encoding="utf-8")
        self._stdout = (folder / "stdout").open("w", encoding="utf-8")
        self.tail: list[str] = []
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell)
        self._teller.start()

    def take(self, event: dict[str, Any]) -> bool:
        """Ansible-runner's event handler; False, as the event is kept here and needs no place in memory."""
        event = self._redactor.clean(event)
        kind, data = str(event.get("event", "")), event.get("event_data") or {}
        self._tally.take(kind, data)
        self._keep(kind, event)
        if text := str(event.get("stdout") or "").rstrip():
            self.tail = [*self.tail, *text.splitlines()][-20:]
            if self._stdout.tell() < _STDOUT_BYTES:
                self._stdout.write(text + "\n")
                self._stdout.flush()
        report = ((data.get("res") or {}).get("ansible_facts") or {}).get(REPORT)
        if report is not None and kind == "runner_on_ok":
            name = re.sub(r"[^A-Za-z0-9._-]", "_", str(data.get("host")))
            write_json(self._folder / "reports" / f"{name}.json", report)
        return False

    def close(self) -> None:
        """Nothing more will be taken."""
        self._over.set()
        self._teller.join()
        self._events.close()
        self._stdout.close()

    def _tell(self) -> None:
        told = ""
        while not self._over.wait(_TELL_SECONDS):
            if told != (told := self._tally.progress()):
                print(f"::progress {told}", flush=True)  # noqa: T201 (this is what the supervisor reads)

    def _keep(self, kind: str, event: dict[str, Any]) -> None:
        if self._events.tell() > _EVENTS_BYTES and kind not in _WRONG:
            return
        line = json.dumps(event, ensure_ascii=False)
        if len(line) > _EVENT_BYTES and "res" in event.get("event_data", {}):
            short = {
                **event["event_data"],
                "res": {"shortened": True, "message": _message(event["event_data"])},
            }
            line = json.dumps({**event, "event_data": short, "stdout": ""}, ensure_ascii=False)
        self._events.write(line + "\n")
        self._events.flush()


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all, durably."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def extra_variables(variables: dict[str, Any], secrets: dict[str, str]) -> str:
    """YAML, as JSON is; secrets are marked so that braces in them are never taken for a template."""
    lines = [f"{name}: {_in_yaml(value)}" for name, value in variables.items()]
    lines += [f"{name}: !unsafe {_in_yaml(value)}" for name, value in secrets.items()]
    return "\n".join(lines) + "\n" if lines else ""


def _in_yaml(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def play(scratch: Path, call: dict[str, Any], artifacts: Path) -> int:
    """Play it; what it came to is in `result.json`."""
    import ansible_runner  # noqa: PLC0415 (what is above is used, and tested, without it)

    private = scratch / "private"  # says that the folder was claimed, too: see relight.generic.scratch
    (private / "env").mkdir(parents=True, mode=0o700)
    for folder in ("tmp", "cp"):
        (scratch / folder).mkdir(mode=0o700)
    inventory = scratch / "inventory.json"
    inventory.write_text(json.dumps(call["inventory"]), encoding="utf-8")
    given = extra_variables(call["variables"], call["secrets"])
    if given:
        (private / "env" / "extravars").write_text(given, encoding="utf-8")
    if call["vault_password"]:
        (scratch / "vault").write_text(call["vault_password"], encoding="utf-8")
        os.environ["ANSIBLE_VAULT_PASSWORD_FILE"] = str(scratch / "vault")
    secrets = [*call["secrets"].values(), *([call["vault_password"]] if call["vault_password"] else [])]
    tally = Tally(call["hosts"])
    with closing(Recorder(artifacts, Redactor(secrets), tally)) as recorder:
        runner = ansible_runner.run(
            private_data_dir=str(private),
            project_dir=call["project"],
            playbook=call["playbook"],
            inventory=str(inventory),
            forks=call["forks"],
            tags=",".join(call["tags"]) or None,
            skip_tags=",".join(call["skip_tags"]) or None,
            cmdline="--check --diff" if call["check"] else None,
            quiet=True,
            fact_cache_type="memory",
            # Output goes through the recorder only; a stop is noticed within half a second.
            settings={"suppress_output_file": True, "pexpect_timeout": 0.5},
            event_handler=recorder.take,
        )
    status = 1 if runner.rc is None else int(runner.rc)
    result = {"exit_status": status, "status": runner.status, **tally.result(), "tail": recorder.tail}
    write_json(artifacts / "result.json", result)
    return status


def main(scratch: Path) -> int:
    """Hold the scratch folder, play, and take the folder away."""
    os.umask(0o077)
    try:
        held = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_EX)
        call = json.loads((scratch / "call.json").read_bytes())
    except FileNotFoundError:
        print("the scratch folder was gone before anything was done")  # noqa: T201
        return NOTHING_DONE
    try:
        if shutil.which("ansible-playbook") is None:
            print("there is no ansible-playbook on PATH")  # noqa: T201
            return NO_PLAYBOOK_COMMAND
        return play(scratch, call, Path(os.environ["RELIGHT_ARTIFACTS"]))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
