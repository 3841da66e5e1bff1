"""Stacks on Pulumi's Automation API, over the program of the project (its Pulumi.yaml)."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pulumi.automation import (
    CommandError,
    ConcurrentUpdateError,
    InvalidVersionError,
    LocalWorkspace,
    Stack,
    StackNotFoundError,
)

from relight.canonical import digest_of
from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable, UsageError
from relight.provision.adapters.deployment import is_empty, pending_creates, settle, without_secrets
from relight.provision.adapters.events import Watcher, lines_of, name_of
from relight.provision.adapters.held import read_locks
from relight.provision.adapters.sealed import open_plan_pipe
from relight.provision.approval import deviations
from relight.provision.locks import is_alive
from relight.provision.port import (
    Approved,
    Deviates,
    Drift,
    Interrupted,
    Lock,
    Locked,
    LockUnknown,
    OnProgress,
    Preview,
    Update,
    UpdateFailed,
)
from relight.provision.sizes import sizes_in

_LOCK = re.compile(
    r"/(?P<id>[0-9a-f-]{36})\.json\S*: created by "
    r"(?P<user>.*)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)"
)
_GONE = re.compile(
    r"dial tcp|no such host|connection refused|i/o timeout|deadline exceeded|TLS handshake|"
    r"unable to open (bucket|state directory)|could not (open|list|read) bucket|error listing stacks|"
    r"RequestError: send request failed|ServiceUnavailable|50[234] ",
    re.IGNORECASE,
)
_UNSAVED = re.compile(
    r"failed to (save|write) (the )?(snapshot|checkpoint)|writing the new snapshot", re.IGNORECASE
)
"""The state went away under an update: whatever else it says, the resource at hand is not to blame."""
_TORN = re.compile("failed to load checkpoint", re.IGNORECASE)
_MISSING = re.compile(r'unknown stack "organization/[^/"]+/([^"]+)"')
_MOST_TOLD, _MOST_UNREAD = 4, 20
_PASSPHRASE, _IN_PLAIN = "PULUMI_CONFIG_PASSPHRASE", "PULUMI_OPTION_SHOW_SECRETS"
_GET_IT = "install the `pulumi` command, see https://www.pulumi.com/docs/install/"
_NOBODY = "urn:pulumi:relight::relight::relight:nobody:Nobody::nobody"
_OURS = {"PULUMI_SKIP_UPDATE_CHECK": "true"}  # it would ask the internet, in the middle of a disaster


def _as_it_is(text: str) -> str:
    return text


def _never() -> bool:
    return False


class AutomationStacks:
    """The stacks of the project at `root`, by the engine on PATH.

    `environment` is added to that of this process: where the state is, and as whom to speak to clouds;
    `blank` takes secrets out of whatever the engine says; once `is_stopping` no command of it is begun.
    """

    def __init__(
        self,
        root: Path,
        environment: Mapping[str, str],
        blank: Callable[[str], str] = _as_it_is,
        secrets_provider: str | None = None,
        is_stopping: Callable[[], bool] = _never,
    ) -> None:
        self._root = root
        self._environment = {**_OURS, **environment}
        self._blank = blank
        self._secrets_provider = secrets_provider
        self._is_stopping = is_stopping
        self._opened: LocalWorkspace | None = None
        self._selected: dict[str, Stack] = {}

    def preview(self, stack: str, targets: tuple[str, ...] = ()) -> Preview:
        """See Stacks.preview."""
        with self._translated(stack):
            opened = self._open(stack)
        return self._preview(opened, targets, Watcher(self._blank))

    def _preview(self, opened: Stack, targets: tuple[str, ...], watcher: Watcher) -> Preview:
        stack = opened.name
        with self._translated(stack, watcher):
            marks = self._watch_preview(opened, targets, watcher)
        changes = tuple(
            change.model_copy(update={"sealed": marks.get(change.urn, {})}) for change in watcher.changes
        )
        digest = digest_of([change.model_dump(mode="json") for change in changes])
        sizes = sizes_in(watcher.outputs)
        return Preview(stack=stack, changes=changes, same=watcher.same, digest=digest, sizes=sizes)

    def _watch_preview(
        self, opened: Stack, targets: tuple[str, ...], watcher: Watcher
    ) -> dict[str, dict[str, str]]:
        """Have the engine preview; return marks of secrets by URN and path, but for a choice of targets."""
        if targets:  # a knob is in a hurry, and turns sizes
            opened.preview(target=list(targets), color="never", on_event=watcher.take)
            return {}
        key = self._environment.get(_PASSPHRASE) or os.environ.get(_PASSPHRASE, "")
        with open_plan_pipe() as pipe:
            # In the plan, and on its output, which nobody reads.
            opened.workspace.env_vars = {**self._environment, _IN_PLAIN: "true"}
            try:
                opened.preview(color="never", on_event=watcher.take, plan=str(pipe.path))
            finally:
                opened.workspace.env_vars = self._environment
        return pipe.marks(opened.name, key)

    def up(
        self,
        stack: str,
        targets: tuple[str, ...] = (),
        expect_digest: str | None = None,
        on_progress: OnProgress | None = None,
        approved: tuple[Approved, ...] = (),
    ) -> Update:
        """See Stacks.up."""
        with self._translated(stack):
            opened = self._open(stack)
        total = None
        if expect_digest is not None:
            total = self._check(opened, targets, expect_digest, approved)
        watcher = Watcher(self._blank, total, on_progress)
        began = time.monotonic()
        with self._translated(stack, watcher, does_change=True):  # asks again whether it is stopping
            opened.up(target=list(targets) or None, color="never", on_event=watcher.take, show_secrets=False)
        return _update(stack, watcher, began)

    def _check(
        self, opened: Stack, targets: tuple[str, ...], expect_digest: str, approved: tuple[Approved, ...]
    ) -> int:
        """How many changes an update would make. Raise Deviates unless they are what was approved."""
        watcher = Watcher(self._blank)
        now = self._preview(opened, targets, watcher)
        if now.digest == expect_digest:
            return len(now.changes)
        strange = deviations(approved, now.changes, watcher.wanted)
        if strange:
            raise Deviates(
                f"the stack {opened.name} would change in another way than was approved ({len(now.changes)} "
                f"changes, digest {now.digest}): {'; '.join(strange[:_MOST_TOLD])}",
                "look at the preview as it is now, and make a new plan",
            )
        return len(now.changes)

    def refresh(
        self, stack: str, adopt: Mapping[str, str] | None = None, on_progress: OnProgress | None = None
    ) -> Update:
        """See Stacks.refresh."""
        watcher = Watcher(self._blank, None, on_progress)
        began = time.monotonic()
        with self._translated(stack, watcher):
            opened = self._stack(stack)
            if pending_creates(self._export(stack)):
                # A living update has creates pending, too; only once none holds the lock is the state final.
                self._meet_lock(stack)
                self._import(stack, settle(self._export(stack), adopt or {}))
            opened.refresh(
                color="never", on_event=watcher.take, show_secrets=False, clear_pending_creates=True
            )
        return _update(stack, watcher, began)

    def drift(self, stack: str) -> Drift:
        """See Stacks.drift."""
        with self._translated(stack):
            opened = self._stack(stack)
            state = self._export(stack)
        if is_empty(state):
            raise NotFound(f"the stack {stack} was never brought up", f"relight stacks preview {stack}")
        unread: dict[str, str] = {}  # by URN; one that cannot be read ends the engine's look at all others
        while True:
            watcher = Watcher(self._blank)
            try:
                with self._translated(stack, watcher):
                    opened.preview_refresh(
                        color="never",
                        on_event=watcher.take,
                        expect_no_changes=True,
                        exclude=sorted(unread) or None,
                    )
            except UpdateFailed:
                fresh = {urn: why for urn, why in watcher.failed.items() if urn not in unread}
                if watcher.errors and (not fresh or len(unread) >= _MOST_UNREAD):
                    raise
                unread |= fresh
                if fresh:
                    continue
                if not watcher.changes:
                    raise
            return Drift(
                stack=stack,
                changes=watcher.changes,
                pending=pending_creates(state),
                unread={name_of(urn): why for urn, why in sorted(unread.items())},
            )

    def outputs(self, stack: str) -> Mapping[str, object]:
        """See Stacks.outputs."""
        with self._translated(stack):
            state = self._export(stack)
        for resource in state["deployment"].get("resources") or ():
            if resource["type"] == "pulumi:pulumi:Stack":
                outputs: dict[str, object] = without_secrets(resource.get("outputs") or {})
                return outputs
        return {}

    def lock(self, stack: str) -> Lock | None:
        """See Stacks.lock."""
        with self._translated(stack):
            self._stack(stack)
            settings = self._workspace().project_settings()
        kept_in = settings.backend.url if settings.backend else None
        surroundings = {**os.environ, **self._environment}
        backend = surroundings.get("PULUMI_BACKEND_URL") or kept_in or ""
        locks = read_locks(backend, settings.name, stack, self._root, surroundings)
        return locks[0] if locks else None

    def cancel(self, stack: str, lock: str) -> None:
        """See Stacks.cancel."""
        try:
            there = self.lock(stack)
        except LockUnknown:
            there = self._lock_met(stack)
        if there is None:
            return
        if there.id != lock:
            raise Conflict(f"the stack {stack} has another lock now: {there}", "look who holds it")
        if is_alive(there):
            raise Locked(stack, there)
        with self._translated(stack):
            self._run(("cancel", "--yes", "--stack", stack))

    def _lock_met(self, stack: str) -> Lock | None:
        try:
            with self._translated(stack):
                self._meet_lock(stack)
        except Locked as locked:
            return locked.lock
        return None

    def _meet_lock(self, stack: str) -> None:
        """Take the lock and give it back: a refresh of nothing, which reads and writes no resource."""
        try:
            self._run(("refresh", "--yes", "--skip-preview", "--target", _NOBODY, "--stack", stack))
        except (ConcurrentUpdateError, StackNotFoundError):
            raise
        except CommandError as error:
            if _NOBODY not in str(error):
                raise

    def _workspace(self) -> LocalWorkspace:
        if self._opened is None:
            try:
                self._opened = LocalWorkspace(
                    work_dir=str(self._root),
                    env_vars=self._environment,
                    secrets_provider=self._secrets_provider,
                )
            except FileNotFoundError:
                raise UsageError("the `pulumi` command is not on PATH", _GET_IT) from None
            except InvalidVersionError as error:
                raise UsageError(f"this `pulumi` command does not fit: {error}", _GET_IT) from None
        return self._opened

    def _stack(self, name: str, *, make: bool = False) -> Stack:
        if name not in self._selected:
            workspace = self._workspace()
            select = Stack.create_or_select if make else Stack.select
            self._selected[name] = select(name, workspace)
        return self._selected[name]

    def _open(self, stack: str) -> Stack:
        """The stack, made if need be, with nothing pending. Raise Interrupted."""
        opened = self._stack(stack, make=True)
        pending = pending_creates(self._export(stack))
        if pending:
            raise Interrupted(stack, pending)
        return opened

    def _export(self, stack: str) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._run(("stack", "export", "--stack", stack)))
        return state

    def _import(self, stack: str, state: Mapping[str, Any]) -> None:
        # Secrets in it are ciphertext; the Automation API's own export and import write them in plain text.
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            self._run(("stack", "import", "--stack", stack, "--file", file.name))

    def _run(self, arguments: tuple[str, ...]) -> str:
        workspace = self._workspace()
        return workspace.pulumi_command.run(list(arguments), str(self._root), self._environment).stdout

    def _go_on(self, stack: str) -> None:
        if self._is_stopping():
            raise Refused(f"the update of the stack {stack} was stopped before it began")

    @contextmanager
    def _translated(
        self, stack: str, watcher: Watcher | None = None, *, does_change: bool = False
    ) -> Iterator[None]:
        try:
            self._go_on(stack)
            yield
        except ConcurrentUpdateError as error:
            raise Locked(stack, _read_lock(_stderr(error))) from None
        except StackNotFoundError:
            raise NotFound(f"there is no stack {stack}", "make it with an update first") from None
        except CommandError as error:
            raise _failure(stack, error, watcher, self._blank, does_change=does_change) from None


def _update(stack: str, watcher: Watcher, began: float) -> Update:
    seconds = round(time.monotonic() - began, 1)
    return Update(stack=stack, counts=watcher.counts, changes=watcher.changes, seconds=seconds)


def _stderr(error: CommandError) -> str:
    """What it wrote to its error output; on the other one a preview may show secrets."""
    said = str(error)
    return said.partition("\n stderr: ")[2] if "\n stdout: " in said else said


def _read_lock(text: str) -> Lock | None:
    match = _LOCK.search(text)
    if match is None:
        return None
    since = datetime.fromisoformat(match["at"])
    return Lock(id=match["id"], user=match["user"], host=match["host"], pid=int(match["pid"]), since=since)


def _failure(
    stack: str,
    error: CommandError,
    watcher: Watcher | None,
    blank: Callable[[str], str],
    *,
    does_change: bool,
) -> RelightError:
    """What the engine's end means, in its own words without secrets."""
    stderr = _stderr(error)
    killed = re.match(r"\s*code: -(\d+)", str(error))
    if killed:
        return Conflict(f"the engine was killed while it updated the stack {stack} (signal {killed[1]})")
    said = [blank(line)[:1000] for line in lines_of(stderr)]
    errors = (
        (watcher.errors if watcher else [])
        or said
        or [blank(stderr.strip()[-1000:]) or "the engine gave no reason"]
    )
    text = "; ".join(errors)
    if "passphrase" in stderr:
        return UsageError(f"the stack {stack} cannot be opened: {text}", "give it the right passphrase")
    if _UNSAVED.search(f"{text} {stderr}"):
        return Unreachable(
            f"the state of the stack {stack} cannot be written: {text}", "is its backend alive?"
        )
    if not (watcher and watcher.errors) and _GONE.search(stderr):
        return Unreachable(f"the state of the stack {stack} is out of reach: {text}", "is its backend alive?")
    if "canceled" in stderr or "cancelled" in stderr:
        return Refused(f"the update of the stack {stack} was stopped: {text}")
    return _refusal(stack, text, does_change=does_change)


def _refusal(stack: str, text: str, *, does_change: bool) -> UpdateFailed:
    missing = list(dict.fromkeys(_MISSING.findall(text)))
    if missing:  # only a link reads other stacks
        return UpdateFailed(
            f"bring up {' and '.join(missing)} before the link {stack}: it begins at what they made",
            f"relight stacks preview {missing[0]}",
        )
    if _TORN.search(text):
        return UpdateFailed(
            f"the state of the stack {stack} cannot be read: {text}",
            "a killed update left it half written: put the copy beside it (STACK.json.bak) in its place, "
            f"then relight stacks drift {stack}",
        )
    done = "; what was done before is in the state" if does_change else ""
    return UpdateFailed(f"the stack {stack}: {text}", f"correct it{done}")
