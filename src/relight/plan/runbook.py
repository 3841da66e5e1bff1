"""A runbook: a pure function from estate, situation and inputs to a plan.

A runbook module exports one `RUNBOOK`. Pure means: the same three arguments give the same plan, byte for
byte; `now` belongs to the situation, and nothing is read or asked while building.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from relight.errors import Reason, UsageError
from relight.estate import Estate
from relight.plan.document import Plan
from relight.situation import Situation


@dataclass(frozen=True)
class Input:
    """An input of a runbook; all are text on the command line. Without a default it must be given."""

    about: str
    default: str | None = None
    choices: Callable[[Estate], tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Runbook:
    """What a runbook module exports as RUNBOOK."""

    name: str
    summary: str
    build: Callable[[Estate, Situation, Mapping[str, str]], Plan]
    inputs: Mapping[str, Input] = field(default_factory=dict)

    def accepted(self, given: Mapping[str, str], estate: Estate) -> dict[str, str]:
        """The inputs with defaults put in. Raise UsageError with every fault at once."""
        reasons = [
            Reason(f"{self.name} has no input {name!r}", f"it takes {', '.join(self.inputs) or 'none'}")
            for name in given
            if name not in self.inputs
        ]
        values = {name: given.get(name, declared.default) for name, declared in self.inputs.items()}
        for name, value in values.items():
            choices = self.inputs[name].choices
            allowed = choices(estate) if choices else None
            if value is None:
                reasons.append(
                    Reason(f"input {name!r} is missing", f"-i {name}={'|'.join(allowed or ('VALUE',))}")
                )
            elif allowed is not None and value not in allowed:
                reasons.append(
                    Reason(f"{name} cannot be {value!r}", f"one of {', '.join(allowed) or 'none'}")
                )
        if reasons:
            raise UsageError(f"the inputs of {self.name} do not fit", reasons=tuple(reasons))
        return {name: value for name, value in values.items() if value is not None}
