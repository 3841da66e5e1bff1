"""Text of others on a page: only ever text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.markdown import cell, items, line, named, plain, rough, table


@given(st.text())
def test_plain_text_is_one_line_that_moves_nothing(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)


@given(st.text())
def test_no_markup_is_left_unescaped(text: str) -> None:
    assert not set("`*_{}[]<>#|~") & set(re.sub(r"\\.", "", cell(text)))
    assert len(table(("a",), [(text,)])) == 3


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("- item", "\\- item"),
        ("+ item", "\\+ item"),
        ("1. item", "1\\. item"),
        ("12) item", "12\\) item"),
        ("===", "\\==="),
        ("# head", "\\# head"),
        ("1.5 GPU-hours", "1\\.5 GPU-hours"),
        ("a - b", "a - b"),
        ("R&D", "R&amp;D"),
    ],
)
def test_text_at_the_start_of_a_line_begins_no_list_and_no_heading(text: str, written: str) -> None:
    assert line(text) == written
    assert items([text]) == [f"- {written}"]


def test_of_many_names_the_first_and_the_number_of_the_others_are_said() -> None:
    assert named(f"n{n}" for n in range(1002)).endswith("n7 and 994 more")
    assert named(["a", "b"]) == "a, b"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (0.03, "30ms"), (0.44, "0.4s"), (3, "3s"), (12.4, "12s"), (200, "3m20s"), (3900, "1h5m")],
)
def test_durations_are_said_to_the_digit_that_matters(seconds: float, said: str) -> None:
    assert rough(timedelta(seconds=seconds)) == said


def test_what_is_not_known_is_a_dash() -> None:
    assert rough(None) == "-"
