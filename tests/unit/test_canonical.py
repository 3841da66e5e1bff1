"""One value has one byte form, whoever writes it; another value has another."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from relight.canonical import Frozen, canonical_json, digest, digest_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_the_form_is_sorted_bare_and_plain() -> None:
    assert canonical_json({"b": [1, None], "a": "é\n"}) == '{"a":"é\\n","b":[1,null]}'.encode()


@given(values)
def test_any_json_library_reads_the_form_back(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)


@given(st.dictionaries(st.text(), st.integers(), min_size=2, max_size=5))
def test_the_order_of_keys_makes_no_difference(value: dict[str, int]) -> None:
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


@given(values, values)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    assert (digest_of(one) == digest_of(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


def test_the_digest_is_what_sha256sum_says() -> None:
    assert digest(b"relight") == "sha256:" + hashlib.sha256(b"relight").hexdigest()
    assert digest_of({}) == digest(b"{}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [{"a": float("-inf")}], "\ud800"])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"Out of range|surrogates"):
        canonical_json(value)


def test_a_frozen_value_neither_changes_nor_takes_unknown_names() -> None:
    class Point(Frozen):
        x: int

    point = Point(x=1)
    with pytest.raises(ValidationError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Point.model_validate({"x": 1, "y": 2})
