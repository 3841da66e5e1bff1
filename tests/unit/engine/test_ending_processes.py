"""Processes of steps that are over: they end before anything builds on it, and never count as done."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.engine import Journal, Status, Surroundings, ThreadExecutor
from relight.errors import JournalError
from relight.estate import Secrets
from relight.fence import ConfirmVerdict
from relight.generic import Shell
from relight.generic.handlers import ShellHandler
from relight.plan import Catalogue, Gate, Ref, RetryPolicy, Step
from relight.supervisor import Supervisor
from rig.kinds import CATALOGUE, Behave, Note, driver, plan_of, submit, surroundings

SHELLS = Catalogue({"shell": "relight.generic:Shell"})
ONCE = RetryPolicy(attempts=1)


class Here:
    """What the shell handler asks of the world."""

    def __init__(self, folder: Path) -> None:
        self.secrets = Secrets(folder)
        self.project = folder


def around(folder: Path) -> Surroundings:
    processes = Supervisor(folder / "processes", timedelta(seconds=0.5))
    handler = ShellHandler(Here(folder))
    executor = ThreadExecutor({"shell": handler}.__getitem__, processes)
    return surroundings(catalogue=SHELLS, processes=processes, executor=executor)


def in_shell(text: str) -> Shell:
    return Shell(command=("sh", "-c", text))


def ask(path: Path, kind: str, **body: str) -> None:
    journal = Journal(path)
    journal.ask("r1", kind, "ann", {"reason": "because"} | body, datetime.now(UTC))
    journal.close()


def test_an_undo_starts_only_when_the_process_that_it_undoes_is_gone(tmp_path: Path) -> None:
    path, log = tmp_path / "journal.db", tmp_path / "log"
    stubborn = f"trap '' TERM; for i in $(seq 100); do echo did >> {log}; sleep 0.05; done"
    step = Step(id="a", title="a", spec=in_shell(stubborn), undo=in_shell(f"echo undone >> {log}"))
    submit(Journal(path), plan_of(step))
    driving = threading.Thread(target=lambda: driver(path, around=around(tmp_path)).drive())
    driving.start()
    while not log.exists():
        time.sleep(0.02)
    ask(path, "abort", undo="yes")
    driving.join(30)
    assert Journal(path).row("r1").ended
    told = log.read_text().split()
    time.sleep(0.3)
    assert log.read_text().split() == told, "something still works after the run has ended"
    assert told.index("undone") == len(told) - 1


def test_a_command_that_was_stopped_never_counts_as_done_whatever_it_exits_with(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    step = Step(
        id="a",
        title="a",
        spec=in_shell("trap 'exit 0' TERM; sleep 30 & wait"),
        timeout=timedelta(seconds=0.5),
        retry=RetryPolicy(attempts=2, first=timedelta(0)),
    )
    submit(Journal(path), plan_of(step))
    state = driver(path, around=around(tmp_path)).drive()
    assert state.steps["a"].status is Status.FAILED
    assert "timed out" in state.steps["a"].reason


@pytest.mark.parametrize("facts", ["[" * 50_000, json.dumps({"value": "\ud800"}), '{"value": NaN}', "{"])
def test_facts_that_cannot_be_recorded_are_refused_and_harm_no_later_drive(
    tmp_path: Path, facts: str
) -> None:
    path = tmp_path / "journal.db"
    first = Step(id="a", title="a", spec=Note(path="/nowhere/at/all"), retry=ONCE)
    second = Step(
        id="b", title="b", spec=Note(path=str(tmp_path / "e"), value=Ref("a", "value")), after=("a",)
    )
    submit(Journal(path), plan_of(first, second, when_stuck="ask"))
    assert driver(path).drive(wait=False).stuck
    ask(path, "skip", step="a", facts=facts)
    assert len(driver(path).drive(wait=False).refusals) == 1
    assert driver(path).drive(wait=False).stuck


def test_nobody_skips_a_closed_gate_nor_the_proof_that_the_old_side_stops(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    kinds = Catalogue(
        {kind: f"rig.kinds:{kind.removeprefix('rig.').title()}" for kind in CATALOGUE}
        | {"fence.confirm-verdict": "relight.fence:ConfirmVerdict"}
    )
    gated = Step(id="gated", title="", spec=Behave(), gate=Gate(question="?", identities=2))
    proof = Step(id="proof", title="", spec=ConfirmVerdict(site="n", accept=("lost",)), after=("gated",))
    submit(Journal(path), plan_of(gated, proof))
    for step in ("gated", "proof"):
        ask(path, "skip", step=step, facts='{"verdict": "lost"}')
    refusals = driver(path, around=surroundings(catalogue=kinds)).drive(wait=False).refusals
    assert "say yes at its gate" in refusals[0].why
    assert "nobody can answer for" in refusals[1].why


def test_a_record_that_was_changed_is_not_driven_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    submit(journal, plan_of(Step(id="a", title="a", spec=Behave(), gate=Gate(question="?"))))
    driver(path).drive(wait=False)
    journal._db.execute("UPDATE events SET body = replace(body, 'r1', 'r2') WHERE sequence = 2")
    journal._db.execute("UPDATE events SET hash = 'sha256:forged' WHERE sequence = 2")
    with pytest.raises(JournalError, match="event 2 of r1 is not what was written"):
        driver(path).drive(wait=False)


def test_a_secret_that_a_command_prints_is_not_in_what_is_kept_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "hunter2-hunter2")
    path = tmp_path / "journal.db"
    shell = Shell(command=("sh", "-c", "echo it is $KEY; exit 3"), secrets={"KEY": "env:PLANTED"})
    submit(Journal(path), plan_of(Step(id="a", title="a", spec=shell, retry=ONCE)))
    state = driver(path, around=around(tmp_path)).drive()
    assert "it is [redacted]" in state.steps["a"].reason
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "output" for file in kept)
    assert [file for file in kept if b"hunter2" in file.read_bytes()] == []
