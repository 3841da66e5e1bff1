"""`relight refuse`: a person says no to what a run waits for."""

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
def refuse(
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
    """Say no to a gate that a run waits for: what is behind it does not happen.

    Of a finding that people must sign, a no ends the run before its first effect; of a window, no further
    group begins. One no is enough. Where the estate declares approvals, it is signed with your SSH key.
    """
    return answer_gate(context, project, "refuse", Given(run, gate, identity, reason, digest, key, signed))
