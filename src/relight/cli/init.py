"""`relight init`: a first estate, the shipped runbooks, playbooks and stacks. It writes over nothing."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer
import yaml

from relight.cli.output import Screen
from relight.cli.session import command
from relight.control.project import ESTATE
from relight.errors import UsageError
from relight.provision import PROJECT_FILE

FIRST = "two-sites"
"""The example that a project starts from: it needs no cloud."""

_IGNORED = """\
# What Relight keeps here: the journal, and what processes said.
/.relight/
# Credentials, and what the policy pack runs in.
/kubeconfig*
/stacks/policy/.venv/
"""

app = command()


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where; it is made if it is missing.")
    ] = Path(),
    example: Annotated[
        str,
        typer.Option(
            "--example",
            help="What estate.yaml starts as; an unknown name lists those that there are.",
        ),
    ] = FIRST,
) -> None:
    """Make a project: estate.yaml to edit, runbooks/, playbooks/, stacks/ for Pulumi, a .gitignore.

    What is there already is left as it is.
    """
    written, left = write_project(folder, example)
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
        f"  relight{where} plan site-failover -i site=NAME    what would happen if one went dark\n"
        f"  relight{where} stacks show SITE    what its stack is made of, and what is billed while asleep"
    )


def write_project(folder: Path, example: str = FIRST) -> tuple[list[Path], list[Path]]:
    """Write what is missing in a project; return what was written, and what was there. Raise UsageError."""
    estates = shipped_estates()
    if example not in estates:
        raise UsageError(f'there is no example "{example}"', f"there are {', '.join(sorted(estates))}")
    estate = folder / ESTATE
    declared = estate.read_text(encoding="utf-8") if estate.is_file() else estates[example]
    texts = {ESTATE: estates[example], ".gitignore": _IGNORED}
    return write_files(folder, texts | shipped_runbooks() | shipped_playbooks() | shipped_stacks(declared))


def shipped_estates() -> dict[str, str]:
    """The example estates: their text by their name."""
    return {
        source.name.removesuffix(".yaml"): source.read_text(encoding="utf-8")
        for source in _folder("examples").iterdir()
        if source.name.endswith(".yaml")
    }


def shipped_stacks(estate: str) -> dict[str, str]:
    """The Pulumi project of the estate with this text: its text by its path in a project."""
    texts = dict(sorted(_texts_below(_folder("stacks"), "stacks")))
    return {PROJECT_FILE: _project_file(estate)} | texts


def _project_file(estate: str) -> str:
    """Pulumi.yaml with the estate's name, by which its stacks are told from others', and its backend."""
    shipped = _folder(PROJECT_FILE).read_text(encoding="utf-8")
    try:
        declared = yaml.safe_load(estate)
        name, backend = declared["name"], (declared.get("stacks") or {}).get("backend")
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):  # relight check says what is wrong with it
        return shipped
    named = shipped.replace("name: relight\n", f"name: {name}\n")
    return f"{named}backend:\n  url: {backend}  # as estate.yaml has it\n" if backend else named


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
            if entry.name != "__pycache__" and not entry.name.startswith("."):  # the policy pack's .venv
                yield from _texts_below(entry, f"{path}/{entry.name}")
        elif entry.name.endswith((".yml", ".yaml", ".py", ".md", ".txt")):
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


def _folder(name: str) -> Traversable:
    return files("relight.shipped") / name
