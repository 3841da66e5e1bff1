"""A controller is killed (SIGKILL, a real process) right before and right after every append of a run.

Before an append: the effects happened and nobody wrote it down. After it: it is written, and nothing that
follows was dispatched. Whatever the instant, the next controller brings the run to the same end.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from relight.audit import verify_run
from relight.engine import Journal, fold
from relight.plan import Gather, Plan, Ref, Step
from rig.killing import drive_to_death, exit_code_of
from rig.kinds import CATALOGUE, Note, driver, plan_of, submit

pytestmark = pytest.mark.story


def a_plan(effects: Path) -> Plan:
    note = str(effects)
    return plan_of(
        Step(id="a", title="a", spec=Note(path=note, value=1)),
        Step(id="b", title="b", spec=Note(path=note, value=Ref("a", "value")), after=("a",)),
        Step(id="c", title="c", spec=Note(path=note, value=Ref("a", "value")), after=("a",)),
        Step(id="d", title="d", spec=Note(path=note, values=Gather(("b", "c"), "value")), after=("b", "c")),
        Step(id="e", title="e", spec=Note(path=note, value=Ref("d", "value")), after=("d",)),
    )


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_instant_ends_the_same_and_does_nothing_twice(
    tmp_path: Path, moment: str
) -> None:
    deaths = 0
    for deadly in range(1, 100):
        path, effects = tmp_path / f"{deadly}.db", tmp_path / f"{deadly}.effects"
        journal = Journal(path)
        submit(journal, a_plan(effects))
        exit_code = exit_code_of(drive_to_death, path, deadly, moment)
        assert exit_code in (0, -signal.SIGKILL)
        deaths += exit_code != 0
        state = driver(path).drive()
        assert state.ended
        assert state.ended.result == "done"
        assert state.steps["e"].facts == {"value": 8}
        assert sorted(effects.read_text().split()) == [f"r1/{name}" for name in "abcde"]
        assert verify_run(journal, "r1", None).faults == ()
        assert fold(journal.events("r1"), CATALOGUE).ended == state.ended
        journal.close()
        if exit_code == 0:
            break
    assert deaths >= 5, "the controller was hardly ever killed: the test tests nothing"
