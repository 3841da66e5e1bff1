"""`relight init`: a first estate, the shipped runbooks and playbooks. It never writes over anything."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from relight.cli.output import Screen
from relight.cli.session import command
from relight.control.project import ESTATE
from relight.errors import UsageError

_IGNORED = "# What Relight keeps here: the journal, and what processes said.\n/.relight/\n"

app = command()


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where; it is made if it is missing.")
    ] = Path(),
) -> None:
    """Make a project: estate.yaml to edit, the shipped runbooks/ and playbooks/, and a .gitignore.

    What is there already is left as it is.
    """
    written, left = write_project(folder)
    screen = Screen()
    for path in written:
        screen.print(f"wrote {path}")
    for path in left:
        screen.print(f"left  {path}, as it was there", style="yellow")
    ignore = folder / ".gitignore"
    if ignore in left and ".relight" not in ignore.read_text(encoding="utf-8", errors="replace"):
        screen.print(f"      add /.relight/ to {ignore}: journals do not belong into git", style="yellow")
    where = "" if folder == Path() else f" -C {folder}"
    screen.print(
        f"\nNext: write your sites and workloads into {folder / ESTATE}, then\n"
        f"  relight{where} check     what is wrong with it\n"
        f"  relight{where} status    what your sites look like now\n"
        f"  relight{where} plan site-failover -i site=NAME    what would happen if one went dark"
    )


def write_project(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write what is missing in a project; return what was written, and what was there."""
    texts = {ESTATE: _shipped(ESTATE), ".gitignore": _IGNORED} | shipped_runbooks() | shipped_playbooks()
    return write_files(folder, texts)


def shipped_runbooks() -> dict[str, str]:
    """The shipped runbooks: their text by their path in a project."""
    return {
        f"runbooks/{source.name}": source.read_text(encoding="utf-8")
        for source in sorted(_folder("runbooks").iterdir(), key=lambda source: source.name)
        if source.name.endswith(".py")
    }


def shipped_playbooks() -> dict[str, str]:
    """The shipped playbooks and their roles: their text by their path in a project."""
    return dict(sorted(_texts_below(_folder("playbooks"), "playbooks")))


def _texts_below(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _texts_below(entry, f"{path}/{entry.name}")
        elif entry.name.endswith((".yml", ".py", ".md")):
            yield f"{path}/{entry.name}", entry.read_text(encoding="utf-8")


def write_files(folder: Path, texts: dict[str, str]) -> tuple[list[Path], list[Path]]:
    """Write each text at its path below `folder`, unless something is there. Raise UsageError."""
    written, left = [], []
    for name, text in texts.items():
        path = folder / name
        if path.exists():
            left.append(path)
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(
                f"cannot write {path}: {error.strerror}", "name a folder you may write"
            ) from None
        written.append(path)
    return written, left


def _shipped(name: str) -> str:
    return _folder(name).read_text(encoding="utf-8")


def _folder(name: str) -> Traversable:
    return files("relight.shipped") / name
