"""Pulumi's project file and the estate must agree, as whoever runs `pulumi` by hand goes by the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight.app import open_world
from relight.cli.init import write_project
from relight.errors import UsageError
from relight.estate import load_estate
from relight.provision import check_project_file


def faults(folder: Path) -> list[tuple[str, str]]:
    estate = load_estate(folder / "estate.yaml")
    return [(found.severity, found.message) for found in check_project_file(folder, estate)]


@pytest.mark.parametrize("example", ["two-sites", "active-passive", "cloud-burst"])
def test_a_project_as_it_is_made_fits_its_estate(tmp_path: Path, example: str) -> None:
    write_project(tmp_path, example)
    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after", "severity", "said"),
    [
        ("name: active-passive", "name: relight", "error", 'names the project "relight"'),
        ("example-pulumi-state", "elsewhere", "error", "keeps the state at s3://elsewhere"),
        ("backend:", "backends:", "warning", "names no backend"),
        ("backend:\n  url: ", "backend: ", "warning", "names no backend"),
        ("runtime: python", "runtime: [", "error", "is no YAML"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, before: str, after: str, severity: str, said: str) -> None:
    write_project(tmp_path, "active-passive")
    path = tmp_path / "Pulumi.yaml"
    path.write_text(path.read_text().replace(before, after))
    (found,) = faults(tmp_path)
    assert found[0] == severity
    assert said in found[1]


def test_an_estate_with_stacks_needs_the_file(tmp_path: Path) -> None:
    write_project(tmp_path, "active-passive")
    (tmp_path / "Pulumi.yaml").unlink()
    ((severity, message),) = faults(tmp_path)
    assert (severity, "cannot be read" in message) == ("error", True)


def test_no_stack_of_another_estate_is_looked_at(tmp_path: Path) -> None:
    write_project(tmp_path, "active-passive")
    assert open_world(tmp_path).engine("oregon")
    path = tmp_path / "Pulumi.yaml"
    path.write_text(path.read_text().replace("name: active-passive", "name: cloud-burst"))
    with pytest.raises(UsageError, match="cloud-burst"):
        open_world(tmp_path).engine("oregon")
