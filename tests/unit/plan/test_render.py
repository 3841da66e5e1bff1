"""What people sign is shown whole, in order, and never as anything but text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.generic import Shell, Wait
from relight.plan import Finding, Gate, Plan, Step, as_graph, as_markdown, as_text
from relight.plan.document import Window
from relight.plan.render import in_order
from rig.plans import CATALOGUE, a_plan, a_step, a_wait

FORMS = [as_text, as_markdown, as_graph]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_plan_gives_the_same_text_however_it_was_made(form: Any) -> None:
    assert form(CATALOGUE.decode(CATALOGUE.encode(a_plan()))) == form(a_plan())


def test_the_text_says_what_is_signed_and_by_how_many() -> None:
    text = as_text(a_plan())
    assert text.splitlines()[0] == "site-failover: the work of north goes on at south"
    assert f"digest      {a_plan().digest}" in text
    assert "forecast    1m40s (P50), 3m20s (P90), not counting the wait for people" in text
    assert "2 people must sign override:not-lost:north" in text
    assert '1 person asked "Is it dark?"' in text
    assert text.index("OVERRIDE") < text.index("NOTE"), "what must be signed comes first"


def test_the_text_says_how_each_step_runs() -> None:
    text = as_text(a_plan())
    assert "vault.rehydrate workload=digits store=south folder=/data floor=digits-1 max_epoch=1" in text
    assert "after fence; in lane wan; at most 4h a try; 3 tries, 1s to 30s apart; takes 1m (P50)" in text
    assert "epoch=<epoch of fence> point=<id of restore>" in text
    assert "after at least 2 of page, note, start" in text
    assert "one try" in text
    assert 'shell command=["sh", "-c", "echo dark >> log"]' in text
    assert "cannot be undone: it is said" in text
    assert 'undone by manual instructions="strike it out"' in text
    assert "a person decides if it is cut off" in text
    assert "as usual" in text


def test_the_text_says_what_is_promised() -> None:
    promise = next(line for line in as_text(a_plan()).splitlines() if line.startswith("  digits loses"))
    assert promise == (
        "  digits loses at most 30m; is back within 4h from 2026-03-01 03:00:00Z on, when start is done; "
        "its point is that of restore; last seen at step 1,300; 16 GPUs"
    )


def test_a_gate_that_answers_itself_says_so() -> None:
    gate = Gate(question="go?", expire_after=timedelta(hours=1), fallback="approve")
    plan = a_plan(steps=(a_wait("a", gate=gate),), expectations=())
    for text in (as_text(plan), as_markdown(plan)):
        assert "approved if nobody answers for 1h" in text


def test_a_window_says_how_many_may_fail() -> None:
    step = a_wait("a", window="hall", group="n1")
    plan = a_plan(steps=(step,), windows={"hall": Window(size=40, canaries=2, budget=3)}, expectations=())
    text = as_text(plan)
    assert "hall: 40 groups at once; after 2 came through; stops when more than 3 have failed" in text
    assert "n1 of window hall" in text
    assert "| 1 person | window:hall |" in as_markdown(plan)


def test_markdown_lists_who_signs_and_every_step() -> None:
    page = as_markdown(a_plan())
    assert "| 2 people | override:not-lost:north | east still sees north up |" in page
    assert "| 1 person | call | Is it dark? |" in page
    for step in a_plan().steps:
        assert re.search(rf"^\| \d \| {step.id} \|", page, re.MULTILINE)
    assert "```mermaid" in page


def test_a_block_says_that_the_plan_cannot_run() -> None:
    block = Finding(strength="block", code="no-point", subject="digits", message="there is no point")
    assert "BLOCK     no-point digits: there is no point\n            the plan cannot run" in as_text(
        a_plan(findings=(block,))
    )


def test_steps_stand_after_what_they_wait_for() -> None:
    backwards = tuple(reversed(a_plan().steps))
    seen: set[str] = set()
    for step in in_order(a_plan(steps=backwards)):
        assert seen.issuperset(step.after)
        seen.add(step.id)
    assert len(seen) == len(backwards)


def test_steps_in_a_circle_and_unknown_ones_are_shown_all_the_same() -> None:
    plan = a_plan(steps=(a_wait("a", "b"), a_wait("b", "a"), a_wait("c", "nobody"), a_wait("c")))
    assert [step.id for step in in_order(plan)] == ["c", "c", "a", "b"]
    assert all(form(plan) for form in FORMS)


def test_a_join_of_thousands_is_one_short_line() -> None:
    names = [f"n{number}" for number in range(5_000)]
    plan = a_plan(steps=(*(a_wait(name) for name in names), a_wait("join", *names, at_least=4_000)))
    assert "after at least 4,000 of n0, n1, n2, n3, n4, n5, n6, n7 and 4,992 more;" in as_text(plan)
    assert "too many to draw" in as_markdown(plan)
    assert as_graph(plan).count("->") == 5_000


def test_a_plan_of_ten_thousand_steps_is_shown_whole() -> None:
    steps = tuple(a_wait(f"s{n}", *([f"s{n - 1}", f"s{n // 2}"] if n > 2 else [])) for n in range(10_000))
    plan = a_plan(steps=steps, expectations=())
    assert as_text(plan).count("do s") == 10_000
    assert as_markdown(plan).count("| do s") == 10_000
    assert as_graph(plan).count("label=") == 10_000


NASTY = '\x1b[2J\r\n| x | `a` <b> \u202e\ud800 "q" \\ end'


def nasty_plan(text: str) -> Plan:
    step = Step(
        id="a",
        title=text,
        spec=Shell(command=("sh", text), folder=text),
        gate=Gate(question=text),
        lane=text,
        undo=Wait(duration=timedelta(0)),
    )
    return a_plan(
        runbook=text,
        goal=text,
        inputs={text: text},
        steps=(step, a_step("b", Shell(command=(text,)), text)),
        claims=(text,),
        lanes={text: 1},
        findings=(Finding(strength="override", code="x", subject=text, message=text, remedy=text),),
        expectations=(),
    )


@pytest.mark.parametrize("form", FORMS)
def test_nothing_in_a_plan_moves_the_cursor_or_turns_letters_around(form: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        Plan, "digest", "sha256:0"
    )  # half of a character has none: such a plan is not decoded
    text = form(nasty_plan(NASTY))
    assert all(c == "\n" or c.isprintable() for c in text)
    assert "\\x1b" in text


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(lambda text: text not in ("a", "b")))  # the steps' own names
def test_no_text_breaks_out_of_its_cell_its_line_or_its_quotes(text: str) -> None:
    plan, plain = nasty_plan(text), nasty_plan("x")
    assert len(as_text(plan).splitlines()) == len(as_text(plain).splitlines())
    page = as_markdown(plan)
    assert len(page.splitlines()) == len(as_markdown(plain).splitlines())
    for line in page.splitlines():
        if line.startswith("| 1 "):
            assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) in (4, 8)
    for line in as_graph(plan).splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0
