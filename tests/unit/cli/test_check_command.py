"""`relight check` tells every fault at once: of form, between sections, and of the calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.command import Call
from rig.mistakes import TEXTS


@pytest.fixture
def estate(new_folder: Path, call: Call) -> Path:
    assert call("init", "--example", "cloud-burst").code == 0
    return new_folder / "estate.yaml"


def test_a_fault_of_form_hides_none_between_sections(estate: Path, call: Call) -> None:
    text = TEXTS["cloud-burst"].replace("\nwitness:", "\nwitnes:").replace("primary: hall", "primary: hal", 1)
    estate.write_text(text, encoding="utf-8")
    said = call("check", "--json")
    assert said.code == 2
    assert not said.json["is_usable"]
    assert [(fault["path"], fault["code"]) for fault in said.json["faults"]] == [
        ("witnes", ""),
        ("topology.primary", "dangling-name"),
    ]
    assert all(fault["line"] for fault in said.json["faults"])


def test_a_block_whose_dates_have_passed_is_told(estate: Path, call: Call) -> None:
    text = (
        TEXTS["cloud-burst"].replace("2026-11-01T", "2025-11-01T", 1).replace("2027-01-31T", "2026-01-31T", 1)
    )
    estate.write_text(text, encoding="utf-8")
    said = call("check", "--json")
    assert said.code == 0, said.out
    assert "block-is-over" in [fault["code"] for fault in said.json["faults"]]


def test_a_file_that_is_empty_is_said_to_be(estate: Path, call: Call) -> None:
    estate.write_text("", encoding="utf-8")
    assert "error: the file is empty" in call("check").out
