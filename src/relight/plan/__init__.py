"""The language: a plan is data, built by a runbook, carried out by the engine, read by people.

A step names a spec (what to do; its type is the kind), what it comes after, and how it may fail. A spec may
hold a `Ref` to a fact of an ancestor, or a `Gather` over several. A `Catalogue` knows the kinds: it encodes,
decodes and checks plans. A handler carries a kind out and answers with an `Outcome`.
"""

from relight.plan.catalogue import Catalogue
from relight.plan.difference import FieldChange, PlanDifference, compare
from relight.plan.difference_pages import difference_markdown, difference_text
from relight.plan.document import Estimate, Expectation, Gate, Plan, RetryPolicy, Step, Window
from relight.plan.findings import Finding, Strength
from relight.plan.graphs import as_graph
from relight.plan.handler import ARTIFACTS, GRACE, REDACT, SCRATCH, Context, Handler, Process
from relight.plan.limits import LIMITS, Limits
from relight.plan.outcomes import Done, Failed, Outcome, Progress, Retry, Working
from relight.plan.render import as_markdown, as_text
from relight.plan.runbook import Input as RunbookInput
from relight.plan.runbook import Runbook
from relight.plan.runbook_page import RunbookPage, as_runbook_page
from relight.plan.specs import (
    Facts,
    Gather,
    Input,
    Interruption,
    Irreversible,
    NoFacts,
    Ref,
    Spec,
    concrete,
)
from relight.plan.wording import estimate_of

__all__ = [
    "ARTIFACTS",
    "GRACE",
    "LIMITS",
    "REDACT",
    "SCRATCH",
    "Catalogue",
    "Context",
    "Done",
    "Estimate",
    "Expectation",
    "Facts",
    "Failed",
    "FieldChange",
    "Finding",
    "Gate",
    "Gather",
    "Handler",
    "Input",
    "Interruption",
    "Irreversible",
    "Limits",
    "NoFacts",
    "Outcome",
    "Plan",
    "PlanDifference",
    "Process",
    "Progress",
    "Ref",
    "Retry",
    "RetryPolicy",
    "Runbook",
    "RunbookInput",
    "RunbookPage",
    "Spec",
    "Step",
    "Strength",
    "Window",
    "Working",
    "as_graph",
    "as_markdown",
    "as_runbook_page",
    "as_text",
    "compare",
    "concrete",
    "difference_markdown",
    "difference_text",
    "estimate_of",
]
