"""The catalogue of kinds: it encodes plans, decodes and checks them, and resolves their references."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from types import UnionType
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from relight.canonical import canonical_json
from relight.errors import InvalidFile, Reason, Refused
from relight.plan.document import Plan, Step
from relight.plan.specs import Facts, Gather, Ref, Spec

_LARGEST_PLAN_BYTES = 64 * 2**20


class Catalogue:
    """Every kind of step, by name; each "module:Class" is imported when first used."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._places = dict(kinds)
        self._loaded: dict[str, type[Spec]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def spec_type(self, kind: str) -> type[Spec]:
        """The spec model of a kind. Raise KeyError for a kind that is not in the catalogue."""
        if kind not in self._loaded:
            module, _, name = self._places[kind].partition(":")
            self._loaded[kind] = getattr(import_module(module), name)
        return self._loaded[kind]

    # Encoding and decoding

    def encode(self, plan: Plan) -> bytes:
        """The plan as canonical JSON."""
        return canonical_json(plan.model_dump(mode="json"))

    def decode(self, content: bytes, name: str = "plan") -> Plan:
        """Read and check a plan. Raise InvalidFile with every fault."""
        if len(content) > _LARGEST_PLAN_BYTES:
            raise InvalidFile(f"{name} is larger than {_LARGEST_PLAN_BYTES >> 20} MiB", "is it a plan?")
        try:
            data = json.loads(content)
            canonical_json(data)  # infinities and halves of characters have no digest
        except (ValueError, RecursionError) as error:
            raise InvalidFile(f"{name} is not JSON: {error}", "make one with relight plan -o") from None
        return self.from_data(data, name)

    def from_data(self, data: Any, name: str = "plan") -> Plan:
        """`decode`, from JSON-like data."""
        try:
            plan = Plan.model_validate(data, context={"catalogue": self})
        except ValidationError as error:
            reasons = tuple(
                Reason(fault["msg"], path=".".join(str(part) for part in fault["loc"]))
                for fault in error.errors(include_url=False, include_input=False)
            )
            raise InvalidFile(f"{name} is not a plan", "make one with relight plan -o", reasons) from None
        self.require(plan, name)
        return plan

    def decode_spec(self, data: Any) -> Spec:
        """One spec from {"kind": …, fields}. Raise ValueError (inside a plan: a fault at its place)."""
        if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
            raise PydanticCustomError("kind", "a spec is an object with a kind")
        kind = data["kind"]
        if kind not in self._places:
            raise PydanticCustomError("kind", "no such kind of step: {kind}", {"kind": repr(kind)})
        return self.spec_type(kind).model_validate({k: v for k, v in data.items() if k != "kind"})

    def decode_facts(self, kind: str, data: Any) -> Facts:
        """The facts that a step of a kind left in the journal."""
        return self.spec_type(kind).facts.model_validate(data)

    # Checking

    def require(self, plan: Plan, name: str = "plan") -> None:
        """Raise InvalidFile with every reason for which the plan could not run."""
        reasons = tuple(self.faults(plan))
        if reasons:
            raise InvalidFile(f"{name} cannot run", reasons=reasons)

    def faults(self, plan: Plan) -> Iterator[Reason]:
        """Every reason for which the plan could not run: names, joins, lanes, cycles, references."""
        seen: set[str] = set()
        for index, step in enumerate(plan.steps):
            at = f"steps.{index} ({step.id})"
            if step.id in seen:
                yield Reason(f"two steps are called {step.id!r}", path=at)
            seen.add(step.id)
            yield from self._step_faults(plan, step, at)
        for expectation in plan.expectations:
            shown_by = (expectation.began_at, expectation.back_at, expectation.point_from)
            for wanted in (*shown_by, expectation.last_step_from):
                if wanted is not None and wanted not in plan.by_id:
                    at = f"expectations.{expectation.workload}"
                    yield Reason(f"{wanted!r} is no step of the plan", path=at)
        yield from self._reference_faults(plan)

    def _step_faults(self, plan: Plan, step: Step, at: str) -> Iterator[Reason]:
        if step.id.startswith("undo."):
            yield Reason('begins with "undo.", which names what undoes a step', path=at)
        for spec in (step.spec, step.undo):
            if isinstance(spec, Spec) and spec.kind not in self._places:
                yield Reason(f"no such kind of step: {spec.kind!r}", path=at)
        for before in step.after:
            if before not in plan.by_id:
                yield Reason(f"comes after {before!r}, which is no step of the plan", path=at)
        if len(set(step.after)) != len(step.after):
            yield Reason("names a step twice in `after`", path=at)
        if step.at_least is not None and step.at_least > len(step.after):
            yield Reason(f"wants {step.at_least} of {len(step.after)} steps", path=at)
        if step.lane is not None and plan.lanes.get(step.lane, 0) < 1:
            yield Reason(f"runs in lane {step.lane!r}, which the plan does not have", path=at)
        if (step.window is None) != (step.group is None):
            yield Reason("names a window or a group without the other", path=at)
        elif step.window is not None and step.window not in plan.windows:
            yield Reason(f"belongs to window {step.window!r}, which the plan does not have", path=at)

    def _reference_faults(self, plan: Plan) -> Iterator[Reason]:
        graph = {s.id: [before for before in s.after if before in plan.by_id] for s in plan.steps}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            yield Reason(f"the steps wait for each other in a circle: {' → '.join(error.args[1])}")
            return
        # Ancestors as bit sets: a plan of 10,000 steps stays in milliseconds.
        bit = {name: 1 << position for position, name in enumerate(order)}
        ancestors: dict[str, int] = {}
        for name in order:
            ancestors[name] = 0
            for before in graph[name]:
                ancestors[name] |= ancestors[before] | bit[before]
        yield from _window_faults(plan, bit, ancestors)
        for index, step in enumerate(plan.steps):
            reach = ancestors[step.id]
            # An undo may refer to what its own step found out.
            specs = [("spec", step.spec, reach), ("undo", step.undo, reach | bit[step.id])]
            for role, spec, reachable in specs:
                if not isinstance(spec, Spec):
                    continue
                for field, reference in _references(spec):
                    at = f"steps.{index} ({step.id}).{role}.{field}"
                    names = reference.gather if isinstance(reference, Gather) else (reference.ref,)
                    for name in names:
                        if name not in bit or not reachable & bit[name]:
                            yield Reason(f"refers to {name!r}, which is not an ancestor", path=at)
                        else:
                            yield from self._type_faults(spec, field, reference, plan.by_id[name], at)

    @staticmethod
    def _type_faults(
        spec: Spec, field: str, reference: Ref | Gather, source: Step, at: str
    ) -> Iterator[Reason]:
        facts = source.spec.facts.model_fields
        if reference.fact not in facts:
            has = ", ".join(facts) or "no facts"
            yield Reason(
                f"{source.id!r} ({source.spec.kind}) has no fact {reference.fact!r}", f"it has {has}", path=at
            )
            return
        given = facts[reference.fact].annotation
        wanted = _without_references(type(spec).model_fields[field].annotation)
        if isinstance(reference, Gather):
            given = tuple[given, ...]  # type: ignore[valid-type]
        if not set(_without_references(given)) <= set(wanted):
            names = " or ".join(_type_name(t) for t in wanted)
            yield Reason(f"wants {names}; {source.id}.{reference.fact} is {_type_name(given)}", path=at)

    # Resolving

    def resolve(self, step: Step, facts: Mapping[str, Facts]) -> Spec:
        """The step's spec with every reference replaced; `facts` are of the steps that succeeded.

        Raise Refused where a referenced step did not succeed (a join may have gone on without it).
        """
        values: dict[str, Any] = {}
        for field, reference in _references(step.spec):
            if isinstance(reference, Gather):
                present = [facts[name] for name in reference.gather if name in facts]
                values[field] = tuple(getattr(found, reference.fact) for found in present)
            elif reference.ref in facts:
                values[field] = getattr(facts[reference.ref], reference.fact)
            else:
                raise Refused(f"{step.id}.{field} needs {reference.ref}.{reference.fact}, which has no value")
        return step.spec.model_copy(update=values) if values else step.spec


def _window_faults(plan: Plan, bit: Mapping[str, int], ancestors: Mapping[str, int]) -> Iterator[Reason]:
    """A group that waits for another of its window could wait for one that may not begin before it ends."""
    windows: dict[str | None, int] = {}
    groups: dict[tuple[str | None, str | None], int] = {}
    for step in plan.steps:
        windows[step.window] = windows.get(step.window, 0) | bit[step.id]
        groups[step.window, step.group] = groups.get((step.window, step.group), 0) | bit[step.id]
    for index, step in enumerate(plan.steps):
        others = windows[step.window] & ~groups[step.window, step.group]
        if step.window is not None and ancestors[step.id] & others:
            what = f"waits for another group of window {step.window!r}; groups begin and end by themselves"
            yield Reason(what, path=f"steps.{index} ({step.id})")


def _references(spec: Spec) -> Iterator[tuple[str, Ref | Gather]]:
    for field in type(spec).model_fields:
        value = getattr(spec, field)
        if isinstance(value, (Ref, Gather)):
            yield field, value


def _without_references(annotation: Any) -> tuple[Any, ...]:
    """The types that a field takes besides references."""
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return tuple(t for t in typing.get_args(annotation) if t not in (Ref, Gather))
    return (annotation,)


def _type_name(annotation: Any) -> str:
    return (
        getattr(annotation, "__name__", str(annotation))
        if not typing.get_args(annotation)
        else str(annotation)
    )
