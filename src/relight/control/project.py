"""A project: the folder of a user that holds an estate, runbooks and the journal.

Only the project's own runbooks are run. A plan records the digest of all of the runbooks' source, as one may
import another.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from relight.errors import InvalidFile, Place, Reason, UsageError
from relight.plan import Runbook

ESTATE = "estate.yaml"


@dataclass(frozen=True)
class LoadedRunbook:
    """A runbook, where it stands and the digest of the source it was loaded from."""

    runbook: Runbook
    path: Path
    source: str


@dataclass(frozen=True)
class Project:
    """Paths of one project."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> Project:
        """The project that `start` lies in: the nearest folder upwards with an estate. Raise UsageError."""
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / ESTATE).is_file():
                return cls(folder)
        raise UsageError(f"no {ESTATE} in {start} nor above it", "relight init makes a project here")

    @property
    def estate_path(self) -> Path:
        """The estate file."""
        return self.root / ESTATE

    @property
    def state(self) -> Path:
        """Where what happened is kept: the journal and the outputs of processes."""
        return self.root / ".relight"

    @property
    def journal_path(self) -> Path:
        """The journal."""
        return self.state / "journal.db"

    def runbooks(self) -> dict[str, LoadedRunbook]:
        """Every runbook of the project, by name. Raise InvalidFile where one does not load."""
        folder = self.root / "runbooks"
        if not folder.is_dir():
            raise UsageError(
                f"the project has no folder {folder}", "relight init copies the shipped runbooks"
            )
        files = sorted(folder.glob("*.py"))
        source = _source_digest(files)
        loaded: dict[str, LoadedRunbook] = {}
        with _importable(folder):
            for path in files:
                if path.name.startswith("_"):
                    continue
                runbook = getattr(_load(path), "RUNBOOK", None)
                if not isinstance(runbook, Runbook):
                    raise _fault(path, 1, "has no RUNBOOK", "export one: RUNBOOK = Runbook(name=…, …)")
                if runbook.name in loaded:
                    other = loaded[runbook.name].path.name
                    raise _fault(path, 1, f"is called {runbook.name!r}, as {other} is", "rename one")
                loaded[runbook.name] = LoadedRunbook(runbook, path, source)
        return loaded

    def runbook(self, name: str) -> LoadedRunbook:
        """One runbook. Raise UsageError if there is none of that name."""
        runbooks = self.runbooks()
        if name not in runbooks:
            raise UsageError(f"there is no runbook {name!r}", f"there are {', '.join(runbooks) or 'none'}")
        return runbooks[name]


def _source_digest(files: list[Path]) -> str:
    hashed = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        hashed.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return "sha256:" + hashed.hexdigest()


def _load(path: Path) -> ModuleType:
    name = f"relight_project_runbooks.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise _fault(path, 1, "cannot be imported", "is it a Python file?")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise _fault(path, error.lineno or 1, f"is not Python: {error.msg}", "mend the line") from None
    except Exception as error:  # noqa: BLE001 (a user's module may raise anything while it loads)
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        line = (frames[-1].lineno if frames else 1) or 1
        raise _fault(path, line, f"{type(error).__name__}: {error}", "mend the line") from None
    return module


def _fault(path: Path, line: int, what: str, remedy: str) -> InvalidFile:
    reason = Reason(what, remedy, Place(str(path), line, 1))
    return InvalidFile(f"the runbook {path.name} does not load", reasons=(reason,))


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let runbooks import their neighbours while they load."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
