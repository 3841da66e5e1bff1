"""A runbook's page says who signs, how long it takes and what can be taken back, and is only ever text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relight.generic import Manual, Shell
from relight.plan import (
    Finding,
    Gate,
    Irreversible,
    Plan,
    Runbook,
    RunbookInput,
    RunbookPage,
    Step,
    Window,
    as_runbook_page,
)
from rig.plans import a_plan, a_wait, seconds


def page_of(plan: Plan, **changes: Any) -> str:
    runbook = Runbook(
        name="site-failover",
        summary="move the work",
        build=lambda *_: plan,
        inputs={"site": RunbookInput("the lost one"), "why": RunbookInput("a word", default="drill")},
    )
    made: dict[str, Any] = {
        "runbook": runbook,
        "plan": plan,
        "supposed": ("north is lost.",),
        "otherwise": (),
        "choices": {"site": ("north", "south")},
        "approvers": (),
        "command": "relight runbook doc site-failover",
    }
    return as_runbook_page(RunbookPage(**(made | changes)))


def test_the_page_says_who_signs_what() -> None:
    page = page_of(a_plan(), approvers=("ada", "bob"))
    assert "| 2 people | override:not-lost:north | east still sees north up |" in page
    assert "| 1 person | call | Is it dark? |" in page
    assert "Who may sign: ada, bob." in page
    assert "anyone who can run the command" in page_of(a_plan())


def test_the_page_says_what_else_people_would_sign_in_other_situations() -> None:
    doubt = Finding(strength="override", code="doubt", subject="north", message="it may be up", identities=2)
    page = page_of(a_plan(), otherwise=(("all is well", doubt),))
    assert "| 2 people | override:doubt:north | all is well | it may be up |" in page


def test_the_page_says_what_becomes_of_a_gate_that_nobody_answers() -> None:
    gate = Gate(
        question="go?",
        identities=2,
        escalate_after=timedelta(minutes=10),
        escalate_to=("cto",),
        expire_after=timedelta(hours=1),
        fallback="approve",
    )
    page = page_of(a_plan(steps=(a_wait("a", gate=gate),), expectations=()))
    assert "| a | go? | 2 people | after 10m to cto | after 1h | approved |" in page
    plain = page_of(a_plan(steps=(a_wait("a", gate=Gate(question="go?")),), expectations=()))
    assert "| a | go? | 1 person | never | never | it waits |" in plain


def test_the_page_says_how_long_each_step_takes_and_whether_objectives_are_met() -> None:
    promise = a_plan().expectations[0].model_copy(update={"back": seconds(3600, 18_000)})
    page = page_of(a_plan(expectations=(promise,)))
    assert "| digits | start is done | 4h | 1h | 5h | late by 1h | 30m |" in page
    early = promise.model_copy(update={"back": seconds(60, 90)})
    assert "| digits | start is done | 4h | 1m | 1m30s | in time | 30m |" in page_of(
        a_plan(expectations=(early,))
    )
    assert re.search(r"^\| 3 \| restore \|.*\| 1m \| 1m30s \|$", page, re.MULTILINE)


def test_the_page_says_of_each_step_what_takes_it_back() -> None:
    page = page_of(a_plan())
    assert '| note | manual instructions="strike it out" |' in page
    assert "| page | Irreversible: it is said |" in page
    assert "| fence | nothing: an abort leaves it as it is |" in page
    undo = page.split("## Undo")[1]
    assert undo.index("| settle |") < undo.index("| call |"), "an abort begins at the end"


def test_the_page_says_how_windows_roll_and_what_the_run_takes_for_itself() -> None:
    nodes = tuple(a_wait(f"n{n}", window="hall", group=f"g{n % 4}") for n in range(8))
    windows = {"hall": Window(size=2, canaries=1, budget=3, identities=2)}
    page = page_of(a_plan(steps=nodes, windows=windows, expectations=()))
    assert "| hall | 4 | 2 | 1 | 3 | 2 people |" in page
    assert "- workload:digits" in page
    assert "- wan: 1 at once" in page


def test_the_page_says_what_kinds_do_and_which_ask_after_a_cut_off() -> None:
    page = page_of(a_plan())
    assert "| shell | run a command | exit\\_status | a person decides |" in page
    assert "a person decides: page, note." in page
    assert "| site | the lost one | north, south | must be given | north |" in page
    assert "| why | a word | any text | drill |" in page


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_no_text_of_a_plan_breaks_out_of_the_page(text: str) -> None:
    def plan(said: str) -> Plan:
        step = Step(
            id="a",
            title=said,
            spec=Shell(command=("sh", said)),
            gate=Gate(question=said, escalate_after=timedelta(minutes=1), escalate_to=(said,)),
            lane=said,
            undo=Irreversible(said),
        )
        other = Step(id="b", title=said, spec=Manual(instructions=said), undo=Manual(instructions=said))
        finding = Finding(strength="override", code="x", subject=said, message=said, remedy=said)
        return a_plan(
            runbook=said,
            goal=said,
            steps=(step, other),
            inputs={"site": said},
            claims=(said,),
            lanes={said: 1},
            windows={said: Window(size=1)},
            findings=(finding,),
            expectations=(),
        )

    page = page_of(plan(text), approvers=(text,), command=text, supposed=(text,))
    usual = page_of(plan("x"), approvers=("x",), command="x", supposed=("x",))
    assert len(page.splitlines()) == len(usual.splitlines())
    assert all(c == "\n" or c.isprintable() for c in page)
    for line, plain in zip(page.splitlines(), usual.splitlines(), strict=True):
        if line.startswith("|"):
            assert re.sub(r"\\.", "", line).count("|") == plain.count("|")
        elif not line.startswith("  s"):
            assert not set("`*_[]<>#|~") & set(re.sub(r"\\.", "", line).lstrip("#`"))
