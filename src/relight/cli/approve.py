"""`relight approve`: a person signs what a run waits for, and learns at once what became of it."""

from __future__ import annotations

import typer

from relight.cli.answering import (
    DigestOption,
    GateArgument,
    Given,
    KeyOption,
    SignedOption,
    SignerOption,
    answer_gate,
)
from relight.cli.asking import ReasonOption
from relight.cli.session import ProjectOption, RunArgument, command

app = command()


@app.command()
def approve(
    context: typer.Context,
    *,
    run: RunArgument,
    gate: GateArgument = None,
    identity: SignerOption = None,
    reason: ReasonOption = "",
    digest: DigestOption = None,
    key: KeyOption = None,
    signed: SignedOption = None,
    project: ProjectOption = None,
) -> int:
    """Say yes to a gate that a run waits for.

    The answer is for the plan of the run, by its digest, and goes into the record with name and reason. Each
    person counts once. Where the estate declares approvals, it is signed with your SSH key. Ends with 4 if it
    was refused.
    """
    return answer_gate(context, project, "approve", Given(run, gate, identity, reason, digest, key, signed))
