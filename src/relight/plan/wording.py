"""How specs and estimates are written for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from relight.markdown import moment, named, plain
from relight.plan.document import Estimate, Step
from relight.plan.specs import Gather, Irreversible, Ref, Spec
from relight.units import format_duration

_LONGEST_ARGUMENT = 400  # characters of one argument of a step


def span(estimate: Estimate) -> str:
    """Both quantiles of an estimate."""
    if estimate.at_least:
        return f"at least {format_duration(estimate.p50)}, and nobody knows how long"
    return f"{format_duration(estimate.p50)} (P50), {format_duration(estimate.p90)} (P90)"


def estimate_of(step: Step) -> Estimate:
    """The step's own estimate, else the usual one of its kind."""
    p50, p90 = step.spec.usual
    return step.estimate or Estimate(p50=p50, p90=p90)


def call(spec: Spec) -> str:
    """The kind of a spec, and its arguments that are not defaults."""
    arguments = [
        f"{name}={argument(getattr(spec, name))}"
        for name, field in type(spec).model_fields.items()
        if getattr(spec, name) != field.default  # not by what was set: a decoded plan has set them all
    ]
    return " ".join([spec.kind, *arguments])


def undone_by(undo: Spec | Irreversible | None) -> str:
    """What takes a step back."""
    if isinstance(undo, Irreversible):
        return f"Irreversible: {plain(undo.irreversible)}"
    return call(undo) if undo else "nothing: an abort leaves it as it is"


def argument(value: Any) -> str:
    """One argument of a step, cut where it is very long."""
    if isinstance(value, Ref):
        text = f"<{value.fact} of {value.ref}>"
    elif isinstance(value, Gather):
        text = f"<{value.fact} of {named(value.gather)}>"
    elif isinstance(value, timedelta):
        text = format_duration(value)
    elif isinstance(value, datetime):
        text = moment(value)
    elif isinstance(value, str) and value.isprintable() and value and not set(' "=<') & set(value):
        text = value
    else:
        jsonable = dict(value) if isinstance(value, Mapping) else value
        text = json.dumps(jsonable, ensure_ascii=False, default=str)
    if len(text) > _LONGEST_ARGUMENT:
        text = f"{text[:_LONGEST_ARGUMENT]}… and {len(text) - _LONGEST_ARGUMENT:,} characters more"
    return plain(text)
