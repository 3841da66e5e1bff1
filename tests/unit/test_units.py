"""Quantities read as people write them, and nothing else reads as a quantity."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from relight.units import (
    Duration,
    format_bytes,
    format_duration,
    gpu_hours,
    parse_bytes,
    parse_duration,
    parse_rate,
)

durations = st.integers(0, 3650 * 86_400_000).map(lambda milliseconds: timedelta(milliseconds=milliseconds))


@given(durations)
def test_a_duration_reads_as_it_was_written(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(durations)
def test_a_duration_in_a_model_reads_as_it_was_dumped(duration: timedelta) -> None:
    adapter: TypeAdapter[timedelta] = TypeAdapter(Duration)
    assert adapter.validate_json(adapter.dump_json(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("0s", 0),
        ("0", 0),
        (0, 0),
    ],
)
def test_a_duration_means_what_people_mean(text: object, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "4hours",
            "-1h",
            "1e99h",
            "",
            " ",
            "1",
            "1h1h",
            "30m1h",
            "1 h",
            "1h ",
            "h",
            "1.h",
            "1H",
            "inf",
            "nan",
        ),
        *("9" * 39 + "h", "9999d", "1h\n", 30, 1.5, None, True, [], timedelta(seconds=-1)),
    ],
    ids=repr,
)
def test_what_is_no_duration_is_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match=r"write|negative|longer than ten years"):
        parse_duration(text)


@given(st.text(max_size=50))
def test_any_text_is_a_duration_or_is_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert timedelta(0) <= duration <= timedelta(days=3650)


@given(durations, durations)
def test_a_longer_duration_never_reads_as_a_shorter_one(one: timedelta, other: timedelta) -> None:
    assert (one < other) == (parse_duration(format_duration(one)) < parse_duration(format_duration(other)))


def test_a_negative_difference_is_written_with_its_sign() -> None:
    assert format_duration(timedelta(seconds=-90)) == "-1m30s"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16MiB", 16 * 2**20),
        ("1.5GB", 1_500_000_000),
        ("1kB", 1000),
        ("1KB", 1000),
        ("3 TB", 3 * 10**12),
        ("7B", 7),
        (12, 12),
    ],
)
def test_a_size_means_what_people_mean(text: object, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["16", "16Mb", "-1MB", "1e3MB", -1, True, None, "MiB", "kiB", "1kiB", "9" * 41 + "B"], ids=repr
)
def test_what_is_no_size_is_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_bytes(text)


@given(st.integers(0, 2**60))
def test_a_size_reads_nearly_as_it_was_written(size: int) -> None:
    assert re.fullmatch(r"[0-9.e+]+[KMGTP]?i?B", format_bytes(size))
    if size % 2**10 == 0 or size < 2**10:
        units = [2**power for power in (50, 40, 30, 20, 10, 0) if size >= 2**power]
        if not size or size % units[0] == 0:
            assert parse_bytes(format_bytes(size)) == size


@pytest.mark.parametrize(("text", "rate"), [("500MB/s", 500_000_000), ("10Gbit/s", 1_250_000_000), (8, 8)])
def test_a_rate_means_what_people_mean(text: object, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["500MB", "5", 0, -1, "0MB/s", "1bit/s", True, None, "fast/s", "x" * 500], ids=repr
)
def test_what_is_no_rate_is_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_rate(text)


def test_a_message_never_repeats_more_than_a_line() -> None:
    with pytest.raises(ValueError, match="write") as caught:
        parse_duration("x" * 10_000)
    assert len(str(caught.value)) < 200


def test_gpu_hours_are_gpus_times_hours() -> None:
    assert gpu_hours(16, timedelta(minutes=30)) == 8.0


def test_a_model_says_what_to_write() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Duration)
    with pytest.raises(ValidationError, match="30s"):
        adapter.validate_python("soon")
