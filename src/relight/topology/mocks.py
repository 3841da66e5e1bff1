"""Strict mocks: the engine's side of a Pulumi program; records everything, lets nothing unchecked pass.

`StrictMonitor` stands where the engine's resource monitor would. It keeps each request as it came over the
wire, checks it against the SDK (`arguments`), and answers as a cloud would (`outputs`). What it refuses
outright, because nothing sensible can be answered: a function, or another stack, that nobody described.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockCallArgs, MockEngine, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import engine_pb2, resource_pb2

from relight.errors import RelightError
from relight.topology.arguments import check_call, check_resource
from relight.topology.outputs import CALLS, Made, answer, compute
from relight.topology.shapes import Complaint
from relight.topology.wire import bare, read_struct

_STACK = "pulumi:pulumi:Stack"
_REFERENCE = "pulumi:pulumi:StackReference"


class UnknownCall(RelightError):
    """A program asked for something that no table of the mocks answers."""


@dataclass(frozen=True)
class Registered:
    """One resource as it reached the engine: what Pulumi sent, and in `inputs` its arguments, with marks."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    request: Any
    looked_up: str = ""  # the id, where the program only reads what is already there


@dataclass(frozen=True)
class Called:
    """One function of an SDK that the program called, with its arguments by wire name."""

    token: str
    arguments: Mapping[str, Any]


@dataclass
class Recording:
    """What a program did, in the order in which it reached the engine."""

    resources: list[Registered] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)  # warnings and errors that were logged
    faults: dict[str, tuple[Complaint, ...]] = field(default_factory=dict)  # by address: "type::name"
    refusals: list[UnknownCall] = field(default_factory=list)

    def add_faults(self, address: str, found: tuple[Complaint, ...]) -> None:
        """Keep what is wrong with one resource or call."""
        if found:
            self.faults[address] = self.faults.get(address, ()) + found


class CloudMocks(Mocks):
    """Answers from the tables of `outputs`; `references` are the outputs of other stacks, by full name."""

    def __init__(self, references: Mapping[str, Mapping[str, Any]]) -> None:
        self.references = references
        self.recording = Recording()
        self.places: dict[str, Mapping[str, Any]] = {}  # settings of each provider, by its reference
        self.at_fault: frozenset[str] = frozenset()  # properties at hand that cannot be echoed

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """The id and the outputs of a new, or a looked-up, resource."""
        inputs = {key: bare(value) for key, value in args.inputs.items() if key not in self.at_fault}
        if args.typ == _REFERENCE:
            return args.name, self._referred(str(inputs.get("name", args.name)))
        if not args.custom and not args.resource_id:
            return "", inputs
        identity = args.resource_id or f"{args.name}-id"
        place = self.places.get(args.provider or "", {})
        region = inputs.get("region") or place.get("region") or "us-east-1"
        made = Made(args.typ, args.name, identity, inputs, region)
        if place.get("project"):
            made = Made(args.typ, args.name, identity, inputs, region, place["project"])
        return identity, compute(made)

    def _referred(self, stack: str) -> dict[str, Any]:
        if stack not in self.references:
            raise self._refuse(
                f"the program refers to the stack {stack}",
                "give its outputs: run_under_mocks(…, references=…)",
            )
        return {"name": stack, "outputs": dict(self.references[stack]), "secretOutputNames": []}

    def _refuse(self, what: str, remedy: str) -> UnknownCall:
        """Kept apart too: by the time it has come up through Pulumi, it may look like something else."""
        self.recording.refusals.append(UnknownCall(what, remedy))
        return UnknownCall(what, remedy)

    def call(self, args: MockCallArgs) -> dict[str, Any]:  # type: ignore[override]  # a dict does as well
        """What a function of an SDK answers. Raise UnknownCall for one that the table lacks."""
        if args.token not in CALLS:
            raise self._refuse(
                f"the program calls {args.token}, which the mocks cannot answer",
                "add it to CALLS in outputs.py",
            )
        region = self.places.get(args.provider, {}).get("region", "us-east-1")
        return answer(args.token, {"region": region, **bare(args.args)})


class ListeningEngine(MockEngine):
    """Keeps what the program, or an SDK about to drop something, warns of."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(None)
        self.recording = recording

    def Log(self, request: Any) -> None:  # noqa: N802
        """A message is logged."""
        if request.severity >= engine_pb2.WARNING:
            self.recording.messages.append(request.message)


class StrictMonitor(MockMonitor):
    """The engine's resource monitor: records, checks, answers. Its method names are the protocol's."""

    def __init__(self, mocks: CloudMocks) -> None:
        super().__init__(mocks)
        self.clouds = mocks
        self.recording = mocks.recording

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine builds it: with the types of all ancestors, the stack's own left out."""
        above = parent.split("::")[2] if parent else _STACK
        qualified = type_ if above == _STACK else f"{above}${type_}"
        stack, project = pulumi.get_stack(), pulumi.get_project()
        return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802
        """What Pulumi's own mocks support, less references to whole resources: providers see ids anyway.

        Reading such a reference back would make Pulumi ask the very thread that waits for the answer.
        """
        supported = super().GetDeploymentInfo(request).supportedFeatures  # type: ignore[no-untyped-call]
        kept = [
            each for each in supported if each != resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES
        ]
        return resource_pb2.DeploymentInfo(supportedFeatures=kept)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """A resource, or a component, is declared."""
        inputs = read_struct(request.object)
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type != _STACK:
            self._take(Registered(urn, request.type, request.name, f"{request.name}-id", inputs, request))
            self._check(request, inputs)
            if request.type.startswith("pulumi:providers:"):
                self.clouds.places[f"{urn}::{request.name}-id"] = bare(inputs)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """A resource that already exists is looked up by its id."""
        inputs = read_struct(request.properties)
        urn = self.make_urn(request.parent, request.type, request.name)
        self._take(
            Registered(urn, request.type, request.name, request.id, inputs, request, looked_up=request.id)
        )
        self._check(request, inputs, lookup=True)
        return super().ReadResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """What a component, or the stack itself, gives out."""
        if request.urn.split("::")[2] == _STACK:
            self.recording.outputs |= read_struct(request.outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """A function of an SDK is called."""
        arguments = read_struct(request.args)
        if not request.tok.startswith("pulumi:"):
            self.recording.calls.append(Called(request.tok, arguments))
            self.recording.add_faults(request.tok, check_call(request.tok, arguments))
        return super().Invoke(request)  # type: ignore[no-untyped-call]

    def _take(self, registered: Registered) -> None:
        if registered.urn in self.resources:
            address = f"{registered.type}::{registered.name}"
            self.recording.add_faults(address, (Complaint("", "is declared twice under the same parent"),))
        self.recording.resources.append(registered)

    def _check(self, request: Any, inputs: Mapping[str, Any], *, lookup: bool = False) -> None:
        found = check_resource(request.type, inputs, lookup=lookup) if lookup or request.custom else ()
        self.recording.add_faults(f"{request.type}::{request.name}", found)
        self.clouds.at_fault = frozenset(re.split(r"[.\[]", fault.path)[0] for fault in found)
