"""YAML scalars mean what they look like, and nothing else."""

from __future__ import annotations

import pytest

from relight.estate.documents import Scalar, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("n", "n"),
        ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("0123", "0123"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2026-11-21", "2026-11-21"),
        ("2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z"),
        ("1" * 41, "1" * 41),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("=", "="),
        (".", "."),
        ("|\n  12\n", "12\n"),
    ],
)
def test_a_scalar_means_what_it_looks_like(text: str, value: Scalar) -> None:
    root, reasons = read_document(f"key: {text}", "file")
    assert reasons == []
    assert root is not None
    assert root.data == {"key": value}
    assert type(root.data["key"]) is type(value)


def test_what_is_read_is_plain_data() -> None:
    root, reasons = read_document("a: [1, {b: c}]\nd: &x {e: f}\ng: *x\n", "file")
    assert reasons == []
    assert root is not None
    assert root.data == {"a": [1, {"b": "c"}], "d": {"e": "f"}, "g": {"e": "f"}}
