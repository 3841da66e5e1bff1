from __future__ import annotations

import os
from pathlib import Path

import pytest

from rig.command import Call


def test_a_new_project_is_clean(new_folder: Path, call: Call) -> None:
    assert call("init").code == 0
    said = call("check")
    assert said.code == 0, said.out
    assert "nothing is wrong" in said.out
    assert {"site-failover", "site-failback"} <= set(call("check", "--json").json["runbooks"])
    assert "/.relight/" in (new_folder / ".gitignore").read_text()


def test_init_makes_the_folder_it_is_given(new_folder: Path, call: Call) -> None:
    assert call("init", "a/b").code == 0
    assert call("check", "-C", "a/b").code == 0


def test_init_writes_over_nothing(new_folder: Path, call: Call) -> None:
    (new_folder / "estate.yaml").write_text("mine")
    (new_folder / ".gitignore").write_text("*.pyc\n")
    said = call("init")
    assert said.code == 0
    assert (new_folder / "estate.yaml").read_text() == "mine"
    assert "left  estate.yaml" in said.out
    assert "add /.relight/ to .gitignore" in said.out
    assert (new_folder / "runbooks" / "site_failover.py").exists()


def test_init_says_what_cannot_be_written(new_folder: Path, call: Call) -> None:
    (new_folder / "file").write_text("")
    said = call("init", "file/inside")
    assert said.code == 2
    assert "cannot write" in said.err


def test_check_names_file_line_and_column(project: Path, call: Call) -> None:
    text = (project / "estate.yaml").read_text().replace("primary: north", "primary: nroth")
    (project / "estate.yaml").write_text(text)
    said = call("check")
    assert said.code == 1
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "nroth" in line)
    assert f"estate.yaml:{line}:" in said.out
    faults = call("check", "--json").json["faults"]
    assert all(fault["line"] and fault["what"] for fault in faults if fault["severity"] == "error")


@pytest.mark.parametrize("content", [b"", b"sites: [", b"\x00\xff", b"version: 1\nnonsense: 2\n"])
def test_what_is_no_estate_ends_with_2_and_all_reasons(content: bytes, project: Path, call: Call) -> None:
    (project / "estate.yaml").write_bytes(content)
    assert call("check").code == 2
    said = call("check", "--json")
    assert said.code == 2
    assert said.json["is_usable"] is False
    assert said.json["errors"] == len(said.json["faults"]) > 0


def test_a_runbook_that_does_not_load_is_an_error_of_check(project: Path, call: Call) -> None:
    (project / "runbooks" / "broken.py").write_text("def (:\n")
    said = call("check")
    assert said.code == 1
    assert "broken.py:1:" in said.out


def test_the_schema_is_printed_without_any_project(new_folder: Path, call: Call) -> None:
    assert call("init").code == 0
    assert call("check", "--schema").json["properties"]["workloads"]


def test_the_project_is_found_upwards(project: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(project / "deep" / "down")
    assert call("check").code == 0


@pytest.mark.parametrize("way", ["before", "behind", "environment"])
def test_the_project_may_be_named(
    way: str, project: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(os.sep)
    assert call("check").code == 2
    if way == "environment":
        monkeypatch.setenv("RELIGHT_PROJECT", str(project))
    named = ("-C", str(project))
    said = call(*{"before": (*named, "check"), "behind": ("check", *named), "environment": ("check",)}[way])
    assert said.code == 0


def test_a_named_folder_is_not_searched_upwards(project: Path, call: Call) -> None:
    (project / "deep").mkdir()
    said = call("-C", "deep", "check")
    assert said.code == 2
    assert "there is no estate.yaml in deep" in said.err
