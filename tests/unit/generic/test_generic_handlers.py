"""Handlers of the generic kinds; commands run as real processes of a real supervisor."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from relight.errors import LeaseLost, Unreachable, UsageError
from relight.estate import Secrets
from relight.generic import Answered, Http, Manual, PythonCall, Ran, Shell, Wait
from relight.generic.handlers import (
    HttpHandler,
    ManualHandler,
    PythonCallHandler,
    ShellHandler,
    WaitHandler,
)
from relight.plan import (
    Context,
    Done,
    Failed,
    Handler,
    Limits,
    Outcome,
    Process,
    Progress,
    Retry,
    Working,
)
from relight.supervisor import Supervisor
from rig.context import START, FakeContext
from rig.http import Answer, Asked, http_server


class World:
    def __init__(self, project: Path) -> None:
        self.project = project
        self.secrets = Secrets(project)


class Supervised(FakeContext):
    """A context whose processes are real."""

    def __init__(self, supervisor: Supervisor, attempt: int = 1) -> None:
        super().__init__(attempt=attempt)
        self._supervisor = supervisor

    def find_process(self) -> Process | None:
        return self._supervisor.find(self.run, self.step)

    def start_process(
        self, command: tuple[str, ...], environment: dict[str, str], folder: str | None = None
    ) -> None:
        self._supervisor.start(self.run, self.step, command, environment, folder, attempt=self.attempt)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "secret").write_text("hunter2-hunter2\n")
    return World(tmp_path)


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[[int], Supervised]:
    supervisor = Supervisor(tmp_path / "state")
    return lambda number: Supervised(supervisor, number)


def finish(handler: Handler[Any], spec: Any, context: Context) -> Outcome:
    deadline = time.monotonic() + 20
    while isinstance(outcome := handler.attempt(spec, context), Working):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return outcome


# shell


def test_a_command_runs_once_in_the_project_with_what_it_was_given(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    (world.project / "below").mkdir()
    spec = Shell(
        command=("sh", "-c", 'echo "$A $B" >> effects'),
        environment={"A": "open"},
        secrets={"B": "file:secret"},
        folder="below",
    )
    assert finish(ShellHandler(world), spec, attempt(1)) == Done(Ran(exit_status=0))
    assert finish(ShellHandler(world), spec, attempt(1)) == Done(Ran(exit_status=0))
    assert (world.project / "below/effects").read_text() == "open hunter2-hunter2\n"


def test_a_later_attempt_takes_the_success_of_an_earlier_one(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    spec = Shell(command=("sh", "-c", "sleep 0.2; echo x >> effects"))
    assert isinstance(ShellHandler(world).attempt(spec, attempt(1)), Working)
    # The controller was cut off here; the next one begins a new attempt while the process runs.
    assert finish(ShellHandler(world), spec, attempt(2)) == Done(Ran(exit_status=0))
    assert (world.project / "effects").read_text() == "x\n"


def test_a_failure_is_retry_with_the_redacted_end_of_the_output(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    spec = Shell(command=("sh", "-c", "echo login with $B; exit 3"), secrets={"B": "file:secret"})
    expected = Retry("exit status 3: login with [redacted]")
    assert finish(ShellHandler(world), spec, attempt(1)) == expected
    # A controller that never resolved the secret redacts it too.
    later = World(world.project)
    assert finish(ShellHandler(later), spec, attempt(1)) == expected
    (world.project / "secret").unlink()
    outcome = finish(ShellHandler(World(world.project)), spec, attempt(1))
    assert isinstance(outcome, Retry)
    assert "hunter2" not in outcome.reason
    assert "withheld" in outcome.reason


def test_after_a_failure_a_new_attempt_runs_the_command_again(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    spec = Shell(command=("sh", "-c", "echo x >> effects; test $(wc -l < effects) = 2"))
    assert isinstance(finish(ShellHandler(world), spec, attempt(1)), Retry)
    assert isinstance(finish(ShellHandler(world), spec, attempt(1)), Retry), "the same attempt does not"
    assert finish(ShellHandler(world), spec, attempt(2)) == Done(Ran(exit_status=0))
    assert (world.project / "effects").read_text() == "x\nx\n"


def test_other_exit_statuses_can_be_a_success(world: World, attempt: Callable[[int], Supervised]) -> None:
    spec = Shell(command=("sh", "-c", "exit 3"), succeeds_with=(0, 3))
    assert finish(ShellHandler(world), spec, attempt(1)) == Done(Ran(exit_status=3))


def test_without_the_lease_nothing_is_started(world: World) -> None:
    context = FakeContext(may_act=False)
    with pytest.raises(LeaseLost):
        ShellHandler(world).attempt(Shell(command=("true",)), context)
    with pytest.raises(LeaseLost):
        PythonCallHandler(world).attempt(PythonCall(function="a:b"), context)
    assert context.started == []


VANISHED = Process(running=False, exit_status=None, output="", attempt=1)


def test_a_process_that_vanished_is_for_a_person_to_judge_unless_the_step_says_otherwise(
    world: World,
) -> None:
    ask, repeat = Shell(command=("x",)), Shell(command=("x",), if_interrupted="repeat")
    assert isinstance(ShellHandler(world).attempt(ask, FakeContext(process=VANISHED)), Failed)
    assert isinstance(ShellHandler(world).attempt(repeat, FakeContext(process=VANISHED)), Retry)
    decided = FakeContext(process=VANISHED, attempt=2)
    assert isinstance(ShellHandler(world).attempt(ask, decided), Working)
    assert len(decided.started) == 1


# python


def test_a_function_of_the_project_is_called_with_its_arguments(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    (world.project / "ours.py").write_text(
        "def greet(name, path):\n    open(path, 'w').write(f'hello {name}')"
    )
    spec = PythonCall(function="ours:greet", arguments={"name": 'O\'Neill "é"', "path": "greeting"})
    assert finish(PythonCallHandler(world), spec, attempt(1)) == Done(Ran(exit_status=0))
    assert (world.project / "greeting").read_text() == 'hello O\'Neill "é"'


def test_a_function_that_raises_is_retry_with_its_traceback(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    (world.project / "ours.py").write_text("def fall():\n    raise ValueError('over the edge')")
    outcome = finish(PythonCallHandler(world), PythonCall(function="ours:fall"), attempt(1))
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith("exit status 1")
    assert outcome.reason.endswith("ValueError: over the edge")


# http


def test_a_request_is_sent_as_declared_and_secret_headers_are_filled_in(world: World) -> None:
    with http_server(lambda _: (201, b"")) as server:
        spec = Http(
            method="POST",
            url=f"{server.url}/hook?x=1",
            headers={"X-Open": "yes"},
            secret_headers={"Authorization": "file:secret"},
            body='{"a": 1}',
        )
        assert HttpHandler(world).attempt(spec, FakeContext()) == Done(Answered(status=201))
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/hook?x=1", b'{"a": 1}')
    assert asked.headers["authorization"] == "hunter2-hunter2"
    assert asked.headers["x-open"] == "yes"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_another_status_is_retry_and_redirects_are_not_followed(world: World, status: int) -> None:
    with http_server(lambda _: (status, b"")) as server:
        outcome = HttpHandler(world).attempt(Http(url=f"{server.url}/a?token=hidden"), FakeContext())
    assert outcome == Retry(f"GET {server.url}/a was answered with {status}")
    assert len(server.asked) == 1


def test_a_request_that_may_have_taken_effect_is_for_a_person_to_judge(world: World) -> None:
    def send(**more: Any) -> Outcome:
        with http_server(lambda _: (0, b"")) as server:
            return HttpHandler(world).attempt(Http(url=server.url, **more), FakeContext())

    assert isinstance(send(method="POST"), Failed)
    for harmless in ({"method": "PUT"}, {"method": "GET"}, {"method": "POST", "if_interrupted": "repeat"}):
        with pytest.raises(Unreachable):
            send(**harmless)


def test_a_server_that_is_not_there_or_hangs_is_unreachable_within_two_seconds(world: World) -> None:
    with pytest.raises(Unreachable, match="no connection"):
        HttpHandler(world).attempt(Http(method="POST", url="http://127.0.0.1:1/"), FakeContext())

    def hang(_: Asked) -> Answer:
        time.sleep(1.3)
        return 0, b""

    began = time.monotonic()
    with http_server(hang) as server, pytest.raises(Unreachable):
        HttpHandler(world).attempt(Http(url=server.url), FakeContext())
    assert time.monotonic() - began < 2


def test_a_request_that_cannot_be_made_says_so_and_shows_no_secret(world: World) -> None:
    (world.project / "secret").write_text("two\nlines-of-secret")
    with http_server(lambda _: (200, b"")) as server:
        spec = Http(url=server.url, secret_headers={"Authorization": "file:secret"})
        for broken in (spec, Http(url="http://[::1"), Http(url="ftp://127.0.0.1/"), Http(url="")):
            with pytest.raises(UsageError) as told:
                HttpHandler(world).attempt(broken, FakeContext())
            assert "lines-of-secret" not in str(told.value)
    assert server.asked == []


def test_without_the_lease_no_request_is_sent(world: World) -> None:
    with http_server(lambda _: (200, b"")) as server, pytest.raises(LeaseLost):
        HttpHandler(world).attempt(Http(url=server.url), FakeContext(may_act=False))
    assert server.asked == []


# manual, wait


def test_what_a_person_does_is_done_when_its_gate_was_passed(world: World) -> None:
    assert ManualHandler(world).attempt(Manual(instructions="pull the plug"), FakeContext()) == Done()


def test_a_wait_counts_from_the_first_attempt(world: World) -> None:
    spec = Wait(duration=timedelta(seconds=90))
    for passed, left in ((0, 60), (40, 50), (-3600, 60)):
        context = FakeContext(clock=START + timedelta(seconds=passed), attempt=3)
        outcome = WaitHandler(world).attempt(spec, context)
        assert isinstance(outcome, Working)
        assert outcome.check_in == timedelta(seconds=left)
    context = FakeContext(clock=START + timedelta(seconds=90))
    assert WaitHandler(world).attempt(spec, context) == Done()
    assert WaitHandler(world).attempt(Wait(duration=timedelta(0)), FakeContext()) == Done()


# progress and limits


def test_progress_is_told_while_a_command_runs_and_never_with_its_secrets(
    world: World, attempt: Callable[[int], Supervised]
) -> None:
    spec = Shell(command=("sh", "-c", "echo ::progress 0.5 sends $B; sleep 1"), secrets={"B": "file:secret"})
    ShellHandler(world).attempt(spec, attempt(1))
    expected = Progress(note="sends [redacted]", fraction=0.5)
    deadline = time.monotonic() + 5
    # Each time as a controller would that has just come up.
    while (outcome := ShellHandler(World(world.project)).attempt(spec, attempt(1))) != Working(
        timedelta(seconds=0.5), expected
    ):
        assert isinstance(outcome, Working)
        assert time.monotonic() < deadline
    (world.project / "secret").unlink()
    outcome = ShellHandler(World(world.project)).attempt(spec, attempt(1))
    assert isinstance(outcome, Working)
    assert outcome.progress == Progress(note="the process runs", fraction=0.5)


@pytest.mark.parametrize("kind", ["shell", "python"])
def test_a_limit_ends_a_command_and_the_reason_says_which(
    kind: str, world: World, attempt: Callable[[int], Supervised]
) -> None:
    limits = Limits(file_size=4096)
    (world.project / "flood.py").write_text(
        "def flood():\n    with open('f', 'w') as f:\n        f.write('much' * 2000)\n"
    )
    shell = Shell(command=("sh", "-c", "exec head -c 8000 /dev/zero > f"), limits=limits)
    call = PythonCall(function="flood:flood", limits=limits)
    if kind == "shell":
        outcome = finish(ShellHandler(world), shell, attempt(1))
    else:
        outcome = finish(PythonCallHandler(world), call, attempt(1))
    assert isinstance(outcome, Retry)
    assert "SIGXFSZ" in outcome.reason or "too large" in outcome.reason


def test_a_step_cannot_speak_to_the_supervisor_by_itself() -> None:
    with pytest.raises(ValidationError, match="belongs to Relight"):
        Shell(command=("true",), environment={"RELIGHT_SCRATCH": "/home"})
