"""What a process tells of how far it has come, out of whatever else it prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.plan import Progress
from relight.supervisor.progress import read_progress


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", None),
        ("copying\n", None),
        ("::progress 0.42 copying 3 of 7\n", Progress(note="copying 3 of 7", fraction=0.42)),
        ("::progress 42% copying\n", Progress(note="copying", fraction=0.42)),
        ("::progress 1\n", Progress(note="the process runs", fraction=1.0)),
        ("::progress .5 half\r\n", Progress(note="half", fraction=0.5)),
        ("::progress copying\n", Progress(note="copying")),
        ("::progress 3 of 7 copied\n", Progress(note="3 of 7 copied")),
        ("::progress 250% of the plan\n", Progress(note="250% of the plan")),
        ("::progress 0.5x faster\n", Progress(note="0.5x faster")),
        ("::progress \n", None),
        ("::progressive 0.3 music\n", None),
        ("said ::progress 0.3 inside\n", None),
        ("::progress 0.1 a\nnoise\n::progress 0.2 b\nmore noise\n", Progress(note="b", fraction=0.2)),
        # What is still being written may be cut in the middle of its number.
        ("::progress 0.1 a\n::progress 0.", Progress(note="a", fraction=0.1)),
        ("::progress 0.1 a\n::progress\n", Progress(note="a", fraction=0.1)),
    ],
)
def test_the_last_whole_line_counts(output: str, expected: Progress | None) -> None:
    assert read_progress(output) == expected


@given(st.text(alphabet="::progress 0.19%\n\r\tabc", max_size=200))
def test_no_output_breaks_it(text: str) -> None:
    found = read_progress("::progress 0.5 x\n" + text)
    assert found is not None
    assert found.fraction is None or 0 <= found.fraction <= 1
