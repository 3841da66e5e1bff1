"""Carries out the generic kinds."""

from __future__ import annotations

import json
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import httpx

from relight.errors import Unreachable, UsageError
from relight.estate import SecretRef, Secrets
from relight.generic.call import ARGUMENTS
from relight.generic.steps import Answered, Http, Manual, PythonCall, Ran, Shell, Wait
from relight.plan import (
    REDACT,
    Context,
    Done,
    Failed,
    Interruption,
    Limits,
    Outcome,
    Process,
    Progress,
    Retry,
    Working,
    concrete,
)
from relight.units import format_duration

_LOOK_AGAIN = timedelta(seconds=0.5)
_RUNS = Progress(note="the process runs")
_LONGEST_WAIT = timedelta(minutes=1)  # so that a changed clock is noticed
_SHOWN_OUTPUT = 2000  # characters, in the reason of a failure
_TIMEOUT = httpx.Timeout(connect=0.8, read=1.0, write=0.2, pool=0.2)
_LOOK_AT_IT = "look at its URL (http:// or https://) and its headers"
_HARMLESS_TWICE = ("GET", "HEAD", "PUT", "DELETE")  # idempotent by RFC 9110, section 9.2.2


class Secretive(Protocol):
    """Where secrets are resolved, and the project's root."""

    secrets: Secrets
    project: Path


class ShellHandler:
    """Runs the command as the step's process: once per attempt, and only after the one before has ended."""

    def __init__(self, world: Secretive) -> None:
        self._world = world
        self._resolved: set[SecretRef] = set()

    def attempt(self, spec: Shell, context: Context) -> Outcome:
        """See Handler.attempt."""
        process = context.find_process()
        if process is None or _may_start_anew(process, context, spec.succeeds_with):
            secrets = {name: self._world.secrets.resolve(ref) for name, ref in spec.secrets.items()}
            context.check()
            hidden = {REDACT: ",".join(secrets)} if secrets else {}
            environment = {**spec.environment, **secrets, **hidden, **_limits(spec.limits)}
            context.start_process(spec.command, environment, str(self._world.project / (spec.folder or ".")))
            return Working(_LOOK_AGAIN, Progress(note=f"{spec.command[0]} was started"))
        if process.running:
            return Working(_LOOK_AGAIN, self._progress(process, spec))
        output = _redacted(process.output, self._world.secrets, spec.secrets)
        return _conclude(process, spec.succeeds_with, spec.interruption, output)

    def _progress(self, process: Process, spec: Shell) -> Progress:
        told = process.progress or _RUNS
        # A controller after a crash knows no value yet. Once is enough: a reference may be a command.
        try:
            for reference in set(spec.secrets.values()) - self._resolved:
                self._world.secrets.resolve(reference)
                self._resolved.add(reference)
        except UsageError:
            return Progress(note=_RUNS.note, fraction=told.fraction)
        return Progress(note=self._world.secrets.redact(told.note), fraction=told.fraction)


class PythonCallHandler:
    """Calls the function in the step's process, with the project's root in front of the module path."""

    def __init__(self, world: Secretive) -> None:
        self._world = world

    def attempt(self, spec: PythonCall, context: Context) -> Outcome:
        """See Handler.attempt."""
        process = context.find_process()
        if process is None or _may_start_anew(process, context, (0,)):
            context.check()
            context.start_process(
                (sys.executable, "-P", "-m", "relight.generic.call", spec.function),
                {ARGUMENTS: json.dumps(spec.arguments), **_limits(spec.limits)},
                str(self._world.project),
            )
            return Working(_LOOK_AGAIN, Progress(note=f"{spec.function} was called"))
        if process.running:
            told = process.progress or _RUNS
            note = self._world.secrets.redact(told.note)
            return Working(_LOOK_AGAIN, Progress(note=note, fraction=told.fraction))
        return _conclude(process, (0,), spec.interruption, self._world.secrets.redact(process.output))


class HttpHandler:
    """Sends the request; whether an earlier attempt got through cannot be looked up."""

    def __init__(self, world: Secretive) -> None:
        self._world = world
        self._client = httpx.Client(
            timeout=_TIMEOUT, limits=httpx.Limits(max_keepalive_connections=0), follow_redirects=False
        )

    def attempt(self, spec: Http, context: Context) -> Outcome:
        """See Handler.attempt."""
        secret = {name: self._world.secrets.resolve(ref) for name, ref in spec.secret_headers.items()}
        try:
            url = httpx.URL(concrete(spec.url))
            request = self._client.build_request(
                spec.method, url, headers={**spec.headers, **secret}, content=spec.body
            )
        except (httpx.InvalidURL, ValueError, TypeError):
            # The cause may hold the value of a header, here as below: it is not repeated.
            raise UsageError("the request cannot be made", _LOOK_AT_IT) from None
        shown = f"{spec.method} {url.copy_with(query=None, userinfo=b'')}"
        context.check()
        try:
            response = self._client.send(request, stream=True)
            response.close()
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise UsageError(f"{shown}: the request cannot be sent", _LOOK_AT_IT) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(f"{shown}: no connection ({error})", "is it up, and reachable?") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = f"{shown}: no answer ({error or type(error).__name__})"
            if spec.interruption == "ask" and spec.method not in _HARMLESS_TWICE:
                return Failed(f"{said}; it may have taken effect", "look whether it did: then skip or retry")
            raise Unreachable(said, "is it up, and quick enough?") from None
        if response.status_code in spec.succeeds_with:
            return Done(Answered(status=response.status_code))
        return Retry(f"{shown} was answered with {response.status_code}")


class ManualHandler:
    """Nothing is left to do: the step's gate was approved, and that says it is done."""

    def __init__(self, world: object) -> None:
        del world

    def attempt(self, spec: Manual, context: Context) -> Outcome:
        """See Handler.attempt."""
        del spec, context
        return Done()


class WaitHandler:
    """Waits by being called again."""

    def __init__(self, world: object) -> None:
        del world

    def attempt(self, spec: Wait, context: Context) -> Outcome:
        """See Handler.attempt."""
        left = context.started_at + spec.duration - context.now()
        if left <= timedelta(0):
            return Done()
        passed = 1 - left / spec.duration
        note = f"{format_duration(timedelta(seconds=round(left.total_seconds())))} left"
        return Working(min(left, _LONGEST_WAIT), Progress(note=note, fraction=min(1.0, max(0.0, passed))))


def _may_start_anew(process: Process, context: Context, succeeds_with: tuple[int, ...]) -> bool:
    """Whether what was found is what an earlier attempt failed with; that it was, the engine has recorded."""
    failed = process.is_stopped or process.exit_status not in succeeds_with
    return not process.running and process.attempt < context.attempt and failed


def _conclude(
    process: Process, succeeds_with: tuple[int, ...], interruption: Interruption, output: str
) -> Outcome:
    """What the step's process, which has ended, means for the attempt."""
    if process.is_stopped:
        return Retry("the process was stopped before it had finished")
    if process.exit_status is None:
        reason = "the process vanished, and nobody saw how it ended (was the machine restarted?)"
        if interruption == "ask":
            return Failed(reason, "look whether it took effect: then skip or retry the step")
        return Retry(reason)
    if process.exit_status in succeeds_with:
        return Done(Ran(exit_status=process.exit_status))
    end = output.strip()[-_SHOWN_OUTPUT:]
    told = f"exit status {process.exit_status}{_signal_name(process.exit_status)}"
    return Retry(f"{told}: {end}" if end else told)


def _signal_name(status: int) -> str:
    """Which signal ended a process, where one did: limits end theirs with SIGXCPU and SIGXFSZ."""
    return next((f" ({known.name})" for known in signal.Signals if known == -status), "")


def _limits(limits: Limits | None) -> dict[str, str]:
    return limits.environment() if limits else {}


def _redacted(output: str, secrets: Secrets, used: dict[str, SecretRef]) -> str:
    """The output without the values that were given to the process, perhaps by a controller before us."""
    try:
        for reference in used.values():
            secrets.resolve(reference)
    except UsageError as error:
        return f"[output withheld, as it cannot be redacted: {error.what}]"
    return secrets.redact(output)
