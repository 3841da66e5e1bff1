"""The entry point: which commands there are, and how errors become a clear block and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from relight import __version__
from relight.cli.exits import FAILED, INTERRUPTED, WAITS
from relight.errors import RelightError

COMMANDS = {
    "init": "make a project: an estate to edit, runbooks, playbooks and stacks",
    "check": "read the estate and the runbooks, and say all that is wrong",
    "preflight": "try everything that plans would need, before they are needed",
    "status": "look at everything now: verdicts, points, RPO as it stands",
    "runbook": "list and describe runbooks; compare two plans",
    "plan": "show what a runbook would do, and what it would come to",
    "stacks": "show what a stack is made of; look for drift; preview and bring up",
    "run": "carry a plan out",
    "resume": "go on with a run, from wherever it stands",
    "runs": "list the runs of this project",
    "show": "show where a run stands, step by step",
    "report": "show what a run came to: actual against objective and forecast",
    "approve": "say yes to what a run waits for, and sign it",
    "refuse": "say no to it",
    "pause": "hold a run: what is under way goes on, nothing new starts",
    "retry": "try a failed step of a run again",
    "skip": "answer for a step yourself: it counts as done",
    "abort": "end a run, and take back what was done if told to",
    "sign": "sign an answer here, to be handed in on another machine",
    "audit": "prove that the record of a run is whole",
    "demo": "two sites on this machine; one dies; Relight brings the work back",
}
"""Every command, each in the module of its name, and what `relight --help` says of it."""


class LazyGroup(TyperGroup):
    """Lists commands without importing them; the module of a command is imported when it is called."""

    def __init__(self, **attributes: Any) -> None:
        attributes["commands"] = {
            name: TyperCommand(name, help=summary, rich_markup_mode=None)
            for name, summary in COMMANDS.items()
        }
        super().__init__(**attributes)

    # Any: typer keeps the types of click, which it has swallowed, to itself.
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is called, loaded now."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else None, rest


def load(name: str) -> Any:
    """The command of a name."""
    return typer.main.get_command(import_module(f"relight.cli.{name}").app)


app = typer.Typer(cls=LazyGroup, rich_markup_mode=None, no_args_is_help=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"relight {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done; 1 a check found errors, or the plan is blocked; 2 wrong usage or file; "
    "3 finished, an objective missed; 4 failed; 5 waits for a person."
)
def relight(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(
            "-C",
            "--project",
            metavar="DIR",
            envvar="RELIGHT_PROJECT",
            help="The folder with estate.yaml; else the nearest one upwards. Also behind a command.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from. Anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Bring a dark GPU site back: plans, runbooks and drills for the recovery of GPU clusters."""
    del debug, version  # taken out of the arguments by `run_command`, and acted on by its callback
    context.obj = project


def run_command(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code; every error is shown here, and only here."""
    debug = "--debug" in arguments
    given = [argument for argument in arguments if argument != "--debug"]
    try:
        result = typer.main.get_command(app).main(given, prog_name="relight", standalone_mode=False)
    except RelightError as error:
        _show_error(error)
        if debug:
            traceback.print_exc()
        return error.exit_code
    except TyperException as error:
        _show_usage(error)
        return error.exit_code
    except typer.Abort:
        sys.stderr.write("nobody answered\n")
        return WAITS
    except Exception as error:  # noqa: BLE001 (the last resort: a person must not be left with a traceback)
        what = "".join(traceback.format_exception_only(error)).strip()
        sys.stderr.write(f"error: {what}\n  this is a fault of Relight's; --debug shows where\n")
        if debug:
            traceback.print_exc()
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def main() -> None:
    """The command `relight`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a letter must not end what is being driven.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run_command(sys.argv[1:]))


def _show_error(error: RelightError) -> None:
    """One block: what is wrong, every reason, what to do."""
    lines = [f"error: {error.what}", *(f"  {reason}" for reason in error.reasons)]
    if error.remedy:
        lines.append(f"  what to do: {error.remedy}")
    sys.stderr.write("\n".join(lines) + "\n")


def _show_usage(error: TyperException) -> None:
    show = getattr(error, "show", None)
    if show:
        show()
    else:
        sys.stderr.write(f"error: {error.format_message()}\n")
