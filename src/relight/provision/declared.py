"""What does not fit between an estate and its Pulumi project file, which `pulumi` by hand goes by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from relight.errors import UsageError
from relight.estate import Check, Estate

PROJECT_FILE = "Pulumi.yaml"


def check_project_file(root: Path, estate: Estate) -> Iterator[Check]:
    """Faults of the file at `root`; none where the estate has no stacks."""
    if estate.stacks is None:
        return
    try:
        declared: Any = yaml.safe_load((root / PROJECT_FILE).read_bytes())
    except OSError as error:
        yield _wrong(f"{PROJECT_FILE} cannot be read: {error.strerror}", "relight init writes one")
        return
    except yaml.YAMLError as error:
        yield _wrong(f"{PROJECT_FILE} is no YAML: {' '.join(str(error).split())}", "correct it")
        return
    declared = declared if isinstance(declared, dict) else {}
    backend = declared.get("backend")
    name, url = declared.get("name"), backend.get("url") if isinstance(backend, dict) else None
    if name != estate.name:
        yield Check(
            "error",
            "project-name",
            "name",
            f'{PROJECT_FILE} names the project "{name}"; only by that are the stacks of estates told apart',
            f"write name: {estate.name} there",
        )
    if url is None:
        yield Check(
            "warning",
            "project-backend",
            "stacks.backend",
            f"{PROJECT_FILE} names no backend: pulumi by hand may look for the state elsewhere",
            f"write backend: {{url: {estate.stacks.backend}}} there",
        )
    elif url != estate.stacks.backend:
        yield _wrong(
            f"{PROJECT_FILE} keeps the state at {url}", f"write {estate.stacks.backend} there, or it here"
        )


def require_own_project(root: Path, estate: Estate) -> None:
    """Return unless the file at `root` names another estate, whose stacks the engine would take.

    Raise UsageError.
    """
    for found in check_project_file(root, estate):
        if found.code == "project-name":
            raise UsageError(found.message, found.remedy)


def _wrong(message: str, remedy: str) -> Check:
    return Check("error", "project-file", "stacks.backend", message, remedy)
