"""Kinds of a union, and what estates do not have yet, are told in plain words too."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from relight.canonical import Frozen
from relight.estate import SecretRef
from relight.estate.documents import Places, read_document
from relight.estate.faults import explain

HOW = 'write "env:NAME", "file:PATH" or "cmd:COMMAND"'


class Square(Frozen):
    kind: Literal["square"]
    side: int = Field(gt=0, lt=10, description="its length")


class Circle(Frozen):
    kind: Literal["circle"]
    radius: float
    keys: dict[str, SecretRef] = {}


class Drawing(Frozen):
    shapes: dict[str, Annotated[Square | Circle, Field(discriminator="kind")]]
    first: Annotated[Square | Circle, Field(discriminator="kind")] | None = None
    tags: list[Annotated[str, Field(max_length=3)]] = []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shapes: {a: {kind: squar}}", '1:20: shapes.a.kind: cannot be this (did you mean "square"?)'),
        ("shapes: {a: {kind: 3}}", "1:20: shapes.a.kind: cannot be this (one of square, circle)"),
        ("shapes: {a: {side: 3}}", '1:10: shapes.a: needs "kind" (one of square, circle)'),
        ("shapes: {a: {kind: square}}", '1:10: shapes.a: needs "side" (its length)'),
        ("shapes: {a: {kind: square, side: 0}}", "1:34: shapes.a.side: 0 is too small (more than 0)"),
        ("shapes: {a: {kind: square, side: 10}}", "1:34: shapes.a.side: 10 is too large (less than 10)"),
        (
            "shapes: {a: {kind: circle, radius: x}}",
            "1:36: shapes.a.radius: must be a number, not text (write digits, without quotes)",
        ),
        (
            "shapes: {a: {kind: circle, side: 1, radius: 1}}",
            '1:28: shapes.a.side: nothing is called "side" here (one of kind, radius, keys)',
        ),
        (
            "shapes: {a: {kind: circle, radius: 1, keys: {b: hunter2}}}",
            f"1:49: shapes.a.keys.b: a secret is only pointed at ({HOW})",
        ),
        (
            "shapes: {a: 1}",
            "1:13: shapes.a: must be a mapping, not a number (its kind is one of square, circle)",
        ),
        ("shapes: {}\nfirst: {kind: square, side: x}", None),
        ("shapes: {}\ntags: [a, long]", "2:11: tags.1: string should have at most 3 characters"),
    ],
)
def test_a_fault_below_a_kind_is_told_in_the_words_of_that_kind(text: str, told: str | None) -> None:
    root, reasons = read_document(text, "f")
    assert root is not None
    assert reasons == []
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate(root.data, strict=True)
    found = [str(reason).removeprefix("f:") for reason in explain(caught.value, Drawing, Places("f", root))]
    assert found == [
        told or "2:29: first.side: must be a whole number, not text (write digits, without quotes)"
    ]
