"""The supervisor: starts, finds and stops the process of a step.

On disk, below its folder: RUN/STEP/attempt-N, N counting the starts of that step, with `intent` (durable
before anything is started; names of environment variables, never their values), `started`, `output` and
`exit`, and `artifacts`, the folder that the process knows as RELIGHT_ARTIFACTS. A start whose `started` is
missing never was: the next start declares it void, and the keeper of it, should it come late, loses and runs
nothing. An output is kept up to 16 MiB, above that its last MiB; of a step's starts the last ten keep theirs.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from relight.errors import Conflict, Refused, RelightError, Unreachable, UsageError
from relight.plan import ARTIFACTS, GRACE, Process
from relight.supervisor import keeper
from relight.supervisor.progress import read_progress

_KEEPER = Path(keeper.__file__)
_SHOWN_BYTES = 64 * 2**10
_OUTPUTS_KEPT = 10
_REPORT_SECONDS = 10.0  # the keeper usually reports within 0.1 s
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_INHERITED = re.compile(r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|SSH_AUTH_SOCK|XDG_RUNTIME_DIR")
"""What a process takes over from the controller; the rest, where secrets are, the step must name."""


@dataclass(frozen=True)
class _Kept:
    """A start that happened: its folder, and who its keeper and command are."""

    folder: Path
    keeper: tuple[int, int]  # pid, start time
    command: tuple[int, int]
    boot: str

    def is_alive(self, who: tuple[int, int]) -> bool:
        """Whether this very process is there, not another that was given its pid."""
        pid, began = who
        return self.boot == keeper.boot_id() and keeper.start_ticks(pid) == began

    def state(self) -> tuple[bool, int | None]:
        """Whether the command runs, and the exit status that was written down when it had ended."""
        # Asked before the status is read, so that one which is written in between is not missed.
        alive = self.is_alive(self.keeper) or self.is_alive(self.command)
        try:
            status: int = json.loads((self.folder / "exit").read_bytes())["exit_status"]
        except FileNotFoundError:
            return alive, None
        return False, status


class Supervisor:
    """Detached processes under a folder; safe to use from several threads and several controllers.

    `grace` is the time between TERM and KILL when a process is stopped, unless it was started with another.
    """

    def __init__(self, folder: Path, grace: timedelta = timedelta(seconds=5)) -> None:
        self._folder = folder.absolute()
        self._grace = grace

    def find(self, run: str, step: str) -> Process | None:
        """The process last started for a step of a run, as it stands now; None: none ever was."""
        kept = self._last(run, step)
        if kept is None:
            return None
        running, status = kept.state()
        output = _tail(kept.folder / "output")
        return Process(
            running=running,
            is_stopped=(kept.folder / "stopped").exists(),
            exit_status=status,
            output=output,
            attempt=json.loads((kept.folder / "intent").read_bytes())["attempt"],
            progress=read_progress(output),
            artifacts=kept.folder / "artifacts",
        )

    def start(
        self,
        run: str,
        step: str,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        folder: str | None = None,
        *,
        attempt: int = 1,
    ) -> None:
        """Start the step's process; on return the start is on disk, and the process runs or has run.

        `environment` is added to the little that is inherited, and may hold limits and a scratch folder for
        the keeper (see `relight.plan.Context.start_process`); `folder` is where it runs (None: where the
        controller does); `attempt` is what `Process.attempt` will say. Raise Refused while an earlier one
        runs, Conflict if another start got in between and Unreachable if the keeper says nothing in time
        (look before you start again), UsageError if it cannot be started like this.
        """
        if folder is not None and not Path(folder).is_dir():
            raise UsageError(f"step {step}: there is no folder {folder}", "create it, or name another")
        with self._starting(run, step) as place:
            last = self._last(run, step)
            if last and last.state()[0]:
                raise Refused(f"the process of step {step} of run {run} still runs", "stop it first")
            inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
            try:
                _declare_void(place, last)
                grace = float(environment.get(GRACE, self._grace.total_seconds()))
                intended = _intend(place, command, environment, attempt, grace)
                artifacts = {ARTIFACTS: str(intended / "artifacts")}
                surroundings = {**inherited, **environment, **artifacts}
                self._launch(intended, command, surroundings, folder, grace)
            except OSError as error:
                raise RelightError(
                    f"step {step}: its process cannot be started: {error}", f"is there space in {place}?"
                ) from None

    def stop(self, run: str, step: str) -> None:
        """Ask the step's process to end, and see to it that it is killed after the grace; returns at once.

        The keeper does the killing. Where somebody killed the keeper, a call after the grace does.
        """
        kept = self._last(run, step)
        if kept is None:
            return
        if kept.state()[0]:
            # Before the signal: a command that takes TERM for a good end must not look as if it had finished.
            (kept.folder / "stopped").touch()
        if kept.is_alive(kept.keeper):
            keeper.signal_process(*kept.keeper, signal.SIGTERM)
        elif kept.is_alive(kept.command):
            self._stop_unkept(kept)

    def _stop_unkept(self, kept: _Kept) -> None:
        asked = kept.folder / "stop-asked"
        if not asked.exists():
            asked.touch()
        grace = json.loads((kept.folder / "intent").read_bytes()).get("grace", self._grace.total_seconds())
        late = time.time() - asked.stat().st_mtime >= grace
        below = keeper.descendants(kept.command[0]) if late else {}
        # It may have ended by itself in this moment, or taken another user's identity.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(kept.command[0], signal.SIGKILL if late else signal.SIGTERM)
        for pid, began in below.items():
            keeper.signal_process(pid, began, signal.SIGKILL)

    def _place(self, run: str, step: str) -> Path:
        for name in (run, step):
            if not _NAME.fullmatch(name):
                raise UsageError(f"not the name of a run or a step: {name!r}", "letters, digits, . _ -")
        return self._folder / run / step

    @contextmanager
    def _starting(self, run: str, step: str) -> Iterator[Path]:
        """Be the only controller that starts this step's process; a dead one holds nothing."""
        place = self._place(run, step)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self._folder, place.parent):
                folder.chmod(0o700)
            lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise RelightError(
                f"cannot write below {self._folder}: {error}", "check rights and space"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield place
        except BlockingIOError:
            raise Conflict(f"another controller starts step {step} of run {run} right now") from None
        finally:
            os.close(lock)

    def _last(self, run: str, step: str) -> _Kept | None:
        """The last start that happened, passing over those that never came to it."""
        for folder in reversed(_attempts(self._place(run, step))):
            try:
                record = json.loads((folder / "started").read_bytes())
            except FileNotFoundError:
                continue
            if "boot" in record:
                return _Kept(folder, tuple(record["keeper"]), tuple(record["command"]), record["boot"])
        return None

    def _launch(
        self,
        intended: Path,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        folder: str | None,
        grace: float,
    ) -> None:
        arguments = [
            sys.executable,
            "-I",
            "-S",
            str(_KEEPER),
            str(intended),
            str(grace),
        ]
        try:
            process = subprocess.Popen(
                [*arguments, *command],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except ValueError as error:  # a zero byte, or "=" in a name
            raise UsageError(f"this command or environment cannot be passed on: {error}") from None
        try:
            _, complaint = process.communicate(timeout=_REPORT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Unreachable(
                "the keeper of the process did not report", "look before starting it again"
            ) from None
        if process.returncode == keeper.LOST:
            raise Conflict("another controller declared this start void", "look before starting it again")
        if process.returncode != keeper.STARTED:
            raise RelightError(f"the keeper of the process failed: {complaint.strip()[-500:]}")


def _attempts(place: Path) -> list[Path]:
    return sorted(place.glob("attempt-*"), key=lambda folder: int(folder.name.removeprefix("attempt-")))


def _declare_void(place: Path, last: _Kept | None) -> None:
    """See to it that a start which was intended and never happened never will."""
    latest = _attempts(place)[-1:]
    if not latest or (last and last.folder == latest[0]):
        return
    keeper.write_once(latest[0] / "started", {"void": True})
    if "void" not in json.loads((latest[0] / "started").read_bytes()):
        raise Conflict("a start that was cut off came through after all", "look before starting it again")


def _intend(
    place: Path, command: tuple[str, ...], environment: Mapping[str, str], attempt: int, grace: float
) -> Path:
    """Make the intention to start durable, before anything is started."""
    before = _attempts(place)
    for old in before[: 1 - _OUTPUTS_KEPT]:
        (old / "output").unlink(missing_ok=True)
        shutil.rmtree(old / "artifacts", ignore_errors=True)
    folder = place / f"attempt-{len(before) + 1}"
    folder.mkdir(mode=0o700)
    (folder / "artifacts").mkdir(mode=0o700)
    keeper.write_once(
        folder / "intent",
        {
            "command": list(command),
            "environment": sorted(environment),
            "attempt": attempt,
            "grace": grace,
        },
    )
    for parent in (place, place.parent, place.parent.parent):
        keeper.sync_folder(parent)
    return folder


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _SHOWN_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
