"""What the engine's events come to: changes, progress and errors. The debug lines among them are dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata

from relight.provision.adapters.deployment import without_secrets
from relight.provision.approval import fingerprint, open_values
from relight.provision.port import Change, OnProgress
from relight.provision.wording import verb_of

_UNCHANGING = {"same", "read", "refresh", "read-replacement"}
_PARTS_OF_REPLACE = {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}
_DELETES = {"delete", "discard", *_PARTS_OF_REPLACE} - {"create-replacement"}
_STACK = "pulumi:pulumi:Stack"
_LONGEST_VALUE, _LONGEST_ERROR, _ERRORS = 200, 1000, 12
_MARKUP = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
_PATH = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.\[\]]+)')


class Watcher:
    """Takes in the events of one operation of the engine, in their order."""

    def __init__(
        self, blank: Callable[[str], str], total: int | None = None, on_progress: OnProgress | None = None
    ) -> None:
        self._blank = blank
        self._total = total
        self._on_progress = on_progress
        self._changes: dict[tuple[str, str], Change] = {}
        self._done: set[str] = set()
        self._outputs: list[Mapping[str, Any]] = []
        self.same = 0
        self.counts: dict[str, int] = {}
        self.errors: list[str] = []
        self.failed: dict[str, str] = {}  # the first error of each resource, by URN
        self.wanted: dict[str, Mapping[str, Any]] = {}  # what the program gives each resource, by URN

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is or was changed, by URN; each replacement once, or the deletion that is left of one."""
        return tuple(
            self._changes[urn, op]
            for urn, op in sorted(self._changes)
            if op not in _PARTS_OF_REPLACE or (urn, "replace") not in self._changes
        )

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the program exports now; of the stack's outputs the engine tells those of before first."""
        return self._outputs[-1] if len(self._outputs) > 1 else {}

    def take(self, event: EngineEvent) -> None:
        """Take one event in."""
        if event.resource_pre_event:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._end(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            self._done.add(event.res_op_failed_event.metadata.urn)
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            urn = event.diagnostic_event.urn or ""
            self._note_error(name_of(urn), event.diagnostic_event.message)
            if urn:
                self.failed.setdefault(urn, self._cleaned(event.diagnostic_event.message))
        elif event.policy_event and event.policy_event.enforcement_level == "mandatory":
            self._note_error(name_of(event.policy_event.resource_urn or ""), event.policy_event.message)
        elif event.summary_event:
            self.counts = {str(op): count for op, count in event.summary_event.resource_changes.items()}

    def _note_error(self, about: str, message: str) -> None:
        text = self._cleaned(message)
        line = f"{about}: {text}" if about else text
        if text and line not in self.errors and len(self.errors) < _ERRORS:
            self.errors.append(line)

    def _cleaned(self, message: str) -> str:
        return self._blank(_MARKUP.sub("", message)).strip()[:_LONGEST_ERROR]

    def _begin(self, step: StepEventMetadata) -> None:
        op = _op(step)
        if op not in _DELETES and step.new:
            self.wanted[step.urn] = step.new.inputs or {}
        if op == "same":
            self.same += 1
        if op in _UNCHANGING and op != "refresh":
            return
        if op != "refresh":
            self._changes[step.urn, op] = change_of(step, op, self._blank)
        if self._on_progress:
            self._on_progress(len(self._done), self._total, f"{verb_of(op)} {name_of(step.urn)}")

    def _end(self, step: StepEventMetadata) -> None:
        op = _op(step)
        if step.type == _STACK:
            self._outputs.append((step.new and step.new.outputs) or {})
        if op in _UNCHANGING:
            return
        self._done.add(step.urn)
        if (step.urn, op) not in self._changes:
            # A refresh says only at the end what it found.
            self._changes[step.urn, op] = change_of(step, op, self._blank)


def change_of(step: StepEventMetadata, op: str, blank: Callable[[str], str]) -> Change:
    """One step of the engine as a change; values that only the engine made up are left out."""
    inputs: Mapping[str, Any] = (step.new and step.new.inputs) or {}
    made_up = set(inputs.get("__defaults") or ())  # a random suffix of a name differs in every preview
    if op in ("create", "import"):
        paths = sorted(key for key in inputs if not key.startswith("__"))
    elif op in _DELETES:
        paths = []
    else:
        paths = sorted(step.detailed_diff or step.diffs or ())
    found = {path: _value_at(inputs, path) for path in paths if path not in made_up}
    values = {
        path: blank(json.dumps(without_secrets(value), sort_keys=True))[:_LONGEST_VALUE]
        for path, value in found.items()
    }
    open_ = () if op in _DELETES else open_values(inputs)
    return Change(
        urn=step.urn,
        name=name_of(step.urn),
        type=step.type,
        op=op,
        paths=tuple(paths),
        values=values,
        digest="" if op in _DELETES else fingerprint(inputs, open_),
        open=open_,
    )


def name_of(urn: str) -> str:
    """The logical name in a URN."""
    return urn.rpartition("::")[2]


def _op(step: StepEventMetadata) -> str:
    return str(getattr(step.op, "value", step.op))


def _value_at(content: Any, path: str) -> Any:
    for index, quoted, plain in _PATH.findall(path):
        try:
            content = content[int(index)] if index else content[quoted or plain]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def lines_of(text: str) -> Iterable[str]:
    """The error lines of what the command wrote, without colours."""
    for line in _MARKUP.sub("", text).splitlines():
        stripped = line.strip()
        if stripped.startswith("error:"):
            yield stripped.removeprefix("error:").strip()
