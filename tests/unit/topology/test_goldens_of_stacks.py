"""A golden fails with a diff that a person can read, and is rewritten only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.goldens import UPDATE, check_golden


def test_a_golden_is_written_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = tmp_path / "stacks/site.json"
    monkeypatch.delenv(UPDATE, raising=False)
    with pytest.raises(AssertionError, match="there is no golden"):
        check_golden(golden, {"size": 1})
    monkeypatch.setenv(UPDATE, "1")
    check_golden(golden, {"size": 1})
    monkeypatch.delenv(UPDATE)
    check_golden(golden, {"size": 1})


def test_a_difference_is_shown_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UPDATE, "1")
    check_golden(tmp_path / "site.json", {"size": 1})
    monkeypatch.delenv(UPDATE)
    with pytest.raises(AssertionError) as caught:
        check_golden(tmp_path / "site.json", {"size": 2})
    assert '-  "size": 1' in str(caught.value)
    assert '+  "size": 2' in str(caught.value)
