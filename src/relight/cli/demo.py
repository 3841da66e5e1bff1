"""`relight demo`: two sites on this machine; one dies; Relight brings the work back."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from relight.cli.demo_story import Story
from relight.cli.exits import DONE
from relight.cli.init import shipped_runbooks, write_files
from relight.cli.output import write
from relight.cli.session import command
from relight.errors import UsageError

if TYPE_CHECKING:
    from relight.sandbox import Sandbox

_EXTRAS = {"moto": "moto", "flask": "moto", "numpy": "numpy", "sklearn": "scikit-learn"}
_HALF_DEAF = ("east", "west")  # two observers of three: not a site that is lost, and not one that is well
_SITE = "SITE"

app = command()


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running, to play with.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", help="Where; else a temporary folder, or here for the toys below."
        ),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines, on a terminal too.")] = False,
    kill: Annotated[str | None, typer.Option(metavar=_SITE, help="Kill a site of a kept demo.")] = None,
    rebuild: Annotated[str | None, typer.Option(metavar=_SITE, help="Rebuild it, empty.")] = None,
    partition: Annotated[
        str | None,
        typer.Option(metavar=_SITE, help="Let two of three observers lose sight of it; it goes on."),
    ] = None,
    heal: Annotated[str | None, typer.Option(metavar=_SITE, help="Let all observers see it again.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End every process of a kept demo.")] = False,
) -> int:
    """Start two small sites, train a model at one, kill it, and bring its work back at the other.

    All of it is real (an object store, name servers, training, a client that asks all the time), on this
    machine, and gone at the end unless --keep says otherwise.
    """
    if kill or rebuild or partition or heal or stop:
        sandbox = _sandbox_type().attach(folder or Path.cwd())
        _play(sandbox, kill=kill, rebuild=rebuild, partition=partition, heal=heal, stop=stop)
        return DONE
    with _sandbox(folder, keep=keep) as sandbox:
        write_files(sandbox.folder, shipped_runbooks())
        code = Story(sandbox, plain=plain).tell()
    if keep:
        _invite(sandbox.folder)
    return code


@contextmanager
def _sandbox(folder: Path | None, *, keep: bool) -> Iterator[Sandbox]:
    """A sandbox that is ended whatever happens, unless it is to be kept and all went well."""
    sandbox_type = _sandbox_type()
    where = folder or Path(tempfile.mkdtemp(prefix="relight-demo-"))
    where.mkdir(parents=True, exist_ok=True)
    sandbox = sandbox_type(where)
    is_kept = False
    with _ended_by(signal.SIGTERM, signal.SIGHUP):
        try:
            yield sandbox
            is_kept = keep
        finally:
            if not is_kept:
                sandbox.stop()
                if folder is None:
                    shutil.rmtree(where, ignore_errors=True)


@contextmanager
def _ended_by(*signals: signal.Signals) -> Iterator[None]:
    """Take these signals as Ctrl-C, so that nothing is left running."""
    before = {each: signal.signal(each, _interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _sandbox_type() -> type[Sandbox]:
    """The sandbox, imported now: it needs what only the extra "demo" brings. Raise UsageError."""
    missing = sorted({package for module, package in _EXTRAS.items() if find_spec(module) is None})
    if missing:
        raise UsageError(
            f"the demo needs {', '.join(missing)}, which are not installed", "pip install 'relight[demo]'"
        )
    from relight.sandbox import Sandbox  # noqa: PLC0415 - see above

    return Sandbox


def _play(
    sandbox: Sandbox,
    *,
    kill: str | None,
    rebuild: str | None,
    partition: str | None,
    heal: str | None,
    stop: bool,
) -> None:
    if kill:
        processes = len(sandbox.alive(kill))
        sandbox.kill_site(kill)
        write(f"{kill} is dead: SIGKILL to all {processes} processes of it\n")
    if rebuild:
        sandbox.rebuild_site(rebuild)
        write(f"{rebuild} is up again, with empty disks\n")
    if partition:
        sandbox.partition(partition, _HALF_DEAF)
        write(f"{partition} goes on, but {' and '.join(_HALF_DEAF)} get no answer from it\n")
    if heal:
        sandbox.heal(heal)
        write(f"{heal} answers every observer\n")
    if stop:
        sandbox.stop()
        write(f"every process has ended; the folder is left: rm -r {sandbox.folder}\n")


def _invite(folder: Path) -> None:
    write(
        f"\nEverything still runs. Play with it:\n"
        f"  cd {folder}\n"
        f"  relight status                              north is lost, its work runs at south\n"
        f"  relight demo --rebuild north                north comes back, empty\n"
        f"  relight run site-failback -i site=north     the work goes home, losing nothing\n"
        f"  relight demo --partition north              it runs, but two of three observers lose sight\n"
        f"  relight plan site-failover -i site=north    ... so two people would have to sign\n"
        f"  relight demo --heal north\n"
        f"  relight demo --kill north                   ... and once more\n"
        f"  relight demo --stop                         the end\n"
    )
