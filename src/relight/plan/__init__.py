"""The language: a plan is data, built by a runbook, carried out by the engine, read by people.

A step names a spec (what to do; its type is the kind), what it comes after, and how it may fail. A spec may
hold a `Ref` to a fact of an ancestor, or a `Gather` over several. A `Catalogue` knows the kinds: it encodes,
decodes and checks plans. A handler carries a kind out and answers with an `Outcome`.
"""

from relight.plan.catalogue import Catalogue
from relight.plan.document import Estimate, Expectation, Gate, Plan, RetryPolicy, Step
from relight.plan.findings import Finding, Strength
from relight.plan.handler import Context, Handler, Process
from relight.plan.outcomes import Done, Failed, Outcome, Progress, Retry, Working
from relight.plan.render import as_graph, as_markdown, as_text
from relight.plan.runbook import Input as RunbookInput
from relight.plan.runbook import Runbook
from relight.plan.specs import Facts, Gather, Input, Interruption, NoFacts, Ref, Spec, concrete

__all__ = [
    "Catalogue",
    "Context",
    "Done",
    "Estimate",
    "Expectation",
    "Facts",
    "Failed",
    "Finding",
    "Gate",
    "Gather",
    "Handler",
    "Input",
    "Interruption",
    "NoFacts",
    "Outcome",
    "Plan",
    "Process",
    "Progress",
    "Ref",
    "Retry",
    "RetryPolicy",
    "Runbook",
    "RunbookInput",
    "Spec",
    "Step",
    "Strength",
    "Working",
    "as_graph",
    "as_markdown",
    "as_text",
    "concrete",
]
