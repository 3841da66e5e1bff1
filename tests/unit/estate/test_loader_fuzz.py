"""Whatever is in the file, loading it gives an estate, or InvalidFile with at least one reason."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.errors import InvalidFile
from relight.estate import Estate, read_estate
from rig.files import GOOD_ESTATE

GOOD = GOOD_ESTATE.read_bytes()
DATA = yaml.safe_load(GOOD)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**30),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["north", "digits", "env:KEY", "4h", "s3", "n[1-4]", "[key]", "*x", "http://a", "a.b."]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "north", "x", "[key]", "a.b", ""]), inner, max_size=3)
    ),
    max_leaves=6,
)
_SNIPPETS = """\t|\n|: |- |[|]|{|}|&a |*a|!x |? |>|"|'|<<: *a|---\n|...\n|%YAML 1.1\n|\0|\ufeff|#|,|0x1"""
snippets = st.sampled_from([b"\xff", b"\xc3", b"|", *(text.encode() for text in _SNIPPETS.split("|"))])


def load(content: bytes) -> Estate | None:
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(content)
        file.flush()
        try:
            reading = read_estate(Path(file.name))
        except InvalidFile as error:
            told = [str(reason) for reason in error.reasons]
        else:
            for found in reading.check():
                assert reading.places.place(found.path).line >= 1
            if reading.estate is not None:
                return reading.estate
            told = [str(reason) for reason in reading.reasons]
    assert told
    assert all(told)
    return None


@QUICK
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_in_words(content: bytes) -> None:
    assert load(content) is None


@QUICK
@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`# \n\t1.<"), max_size=60))
def test_arbitrary_punctuation_is_refused_in_words(content: str) -> None:
    assert load(content.encode()) is None


@QUICK
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 6), snippets), min_size=1, max_size=4))
def test_a_good_file_with_slips_of_the_hand_loads_or_is_refused_in_words(
    edits: list[tuple[int, int, bytes]],
) -> None:
    content = GOOD
    for at, removed, added in edits:
        content = content[:at] + added + content[at + removed :]
    load(content)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in below for found in paths_of(inner, (*path, key)))]


@QUICK
@given(st.lists(st.tuples(st.sampled_from(paths_of(DATA)), values), min_size=1, max_size=3))
def test_a_good_estate_with_other_values_loads_or_is_refused_in_words(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    data = yaml.safe_load(GOOD)
    for path, value in changes:
        data = replaced(data, path, value)
    content = yaml.safe_dump(data, allow_unicode=True).encode("utf-8", errors="surrogatepass")
    loaded = load(content)
    if loaded is not None:
        again = load(loaded.model_dump_json(by_alias=True).encode())
        assert again == loaded


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    head, *rest = path
    if isinstance(data, dict) and isinstance(head, str):
        return {**data, head: replaced(data.get(head), tuple(rest), value)}
    if isinstance(data, list) and isinstance(head, int) and head < len(data):
        return [*data[:head], replaced(data[head], tuple(rest), value), *data[head + 1 :]]
    return data
