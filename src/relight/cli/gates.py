"""How gates are said to the people who are to sign them."""

from __future__ import annotations

import shlex


def people(number: int) -> str:
    """How many people: "one person", "2 different people"."""
    return "one person" if number == 1 else f"{number} different people"


def approve_command(run: str, gate: str) -> str:
    """What a person types to approve a gate."""
    return f'relight approve {run} {shlex.quote(gate)} --as NAME --reason "…"'
