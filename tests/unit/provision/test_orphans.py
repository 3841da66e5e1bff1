"""What is left at work of an update."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relight.provision import Interrupted, PendingCreate, Update
from relight.provision import work as work_module
from relight.provision.fake import FakeStacks
from relight.provision.orphans import MARK, at_work, mark_of
from relight.provision.work import Call, carry_out
from rig.context import START

SPOT = PendingCreate(urn="u::spot", type="t", name="spot", begun_at=START)


@pytest.mark.parametrize(
    ("name", "counts"),
    [("pulumi-resource", True), ("python3", True), ("pulumi", False), ("pulumi-language-python", False)],
)
def test_providers_of_a_stacks_updates_are_found_until_they_end(name: str, counts: bool) -> None:
    mark = mark_of("south", {"PULUMI_BACKEND_URL": f"file:///{os.getpid()}"})
    assert mark != mark_of("north", {"PULUMI_BACKEND_URL": f"file:///{os.getpid()}"})
    assert mark != mark_of("south", {"PULUMI_BACKEND_URL": "s3://elsewhere"})
    assert at_work(mark) == {}
    rename = "from pathlib import Path; Path('/proc/self/comm').write_text(sys.argv[1])"
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; {rename}; print(flush=True); input()", name],
        env={**os.environ, MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as left:
        assert left.stdout
        left.stdout.readline()
        assert at_work(mark) == ({left.pid: name} if counts else {})
        left.communicate(b"\n")
    assert at_work(mark) == {}


def test_a_cut_off_create_counts_from_when_nothing_here_works_at_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    working = [{4711: "pulumi-resource"}, {4711: "pulumi-resource"}, {}]
    monkeypatch.setattr(work_module, "at_work", lambda _: working.pop(0))
    monkeypatch.setattr(work_module, "_LOOK_SECONDS", 0.0)
    told: list[str] = []
    asked: list[str] = []

    class CutOff(FakeStacks):
        def up(self, stack: str, *_: object, **__: object) -> Update:
            asked.append(stack)
            raise Interrupted(stack, (SPOT,))

    call = Call(task="up", root=str(tmp_path), stacks=("south",))
    end = carry_out(call, CutOff(lambda _: {}), lambda *said: told.append(said[2]))
    assert end.status == "interrupted"
    assert end.pending[0].begun_at > START
    assert len(asked) == 3
    assert told == 2 * [
        "waits for what is still at work of an update that was cut off: pulumi-resource (pid 4711)"
    ]
