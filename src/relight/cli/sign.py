"""`relight sign`: a person signs an answer where their key is, to be handed in where the journal is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from relight.approval import find_key, new_statement, pack, read_signers
from relight.approval import sign as sign_statement
from relight.cli.exits import DONE
from relight.cli.output import write
from relight.cli.session import ProjectOption, command, find_project, this_person
from relight.errors import UsageError
from relight.estate import load_estate

app = command()


@app.command()
def sign(
    context: typer.Context,
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's whole name.")],
    gate: Annotated[str, typer.Argument(metavar="GATE", help="What is answered, as relight show has it.")],
    digest: Annotated[
        str,
        typer.Option("--digest", metavar="SHA256:…", help="The plan that was read; it counts for no other."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")],
    identity: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who signs; else you.")] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            envvar="RELIGHT_KEY",
            help="A private key, or the .pub of one in an agent; else the project's list has yours.",
        ),
    ] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Say no instead.")] = False,
    project: ProjectOption = None,
) -> int:
    """Sign an answer with your SSH key and print it as one line, to hand in on another machine.

    Nothing is sent and no journal is needed; with --key, no project either. ssh-keygen signs, and asks for
    passphrase, PIN or touch itself. There: relight approve RUN --signed FILE, within the time that the estate
    gives signatures (approvals.valid_for).
    """
    if run == "last":
        raise UsageError(
            "a signature is for one run by its name", "relight runs lists them, where the journal is"
        )
    who = identity or this_person()
    statement = new_statement(
        run=run,
        gate=gate,
        digest=digest,
        decision="refuse" if refuse else "approve",
        identity=who,
        reason=reason,
        at=datetime.now(UTC),
    )
    chosen = key or key_of(who, context, project)
    write(pack(sign_statement(statement, chosen)) + "\n")
    return DONE


def key_of(identity: str, context: typer.Context, folder: Path | None) -> Path | str:
    """The key that the project's list of signers has for them, in ~/.ssh or an agent. Raise UsageError."""
    try:
        found = find_project(context, folder)
    except UsageError:
        raise UsageError("there is no project here that could name your key", "name it with --key") from None
    declared = load_estate(found.estate_path).approvals
    if declared is None:
        raise UsageError("the estate declares no approvals, and so no keys", "name yours with --key")
    try:
        text = (found.root / declared.allowed_signers).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(
            f"{declared.allowed_signers} cannot be read: {error.strerror}", "name your key with --key"
        ) from None
    return find_key(identity, read_signers(text)[0], Path("~/.ssh").expanduser(), datetime.now(UTC))
