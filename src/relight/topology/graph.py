"""The resources of a stack as data: a Pulumi program run in process, under strict mocks, with no engine.

    graph = run_under_mocks(lambda: Site("south", arguments), stack="south")
    graph.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"]

The real Pulumi runtime runs the program; only what the engine and the clouds would answer is made up. Each
run has its own settings, loop and thread, so that any number of them fit in one process, one after the
other.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import re
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockSettings
from pulumi.runtime.stack import run_in_stack

from relight.topology.arguments import invalid
from relight.topology.mocks import Called, CloudMocks, ListeningEngine, Recording, Registered, StrictMonitor
from relight.topology.shapes import Complaint
from relight.topology.wire import show


@dataclass(frozen=True)
class Resource:
    """One resource of a graph; other resources are named by their address, `type::name`."""

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]  # by wire names (camelCase), plain JSON; a secret is "[secret]"
    parent: str = ""  # the address of the component it belongs to, "" directly under the stack
    component: bool = False
    provider: str = ""  # the logical name of an explicit provider, "" for the default one
    looked_up: str = ""  # the id of what already exists and is only read
    protect: bool = False
    depends_on: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # the rest of ResourceOptions, as far as given

    @property
    def address(self) -> str:
        """How other resources of the graph name it."""
        return f"{self.type}::{self.name}"

    def to_dict(self) -> dict[str, Any]:
        """For goldens and people: without what is empty, and with JSON inside text opened up."""
        plain = {
            "name": self.name,
            "type": self.type,
            "component": self.component,
            "parent": self.parent,
            "provider": self.provider,
            "looked_up": self.looked_up,
            "protect": self.protect,
            "depends_on": list(self.depends_on),
            "options": dict(self.options),
            "inputs": _readable(self.inputs),
        }
        return {key: value for key, value in plain.items() if value}


@dataclass(frozen=True)
class Graph:
    """All that a program declares, in an order that depends on the program alone."""

    project: str
    stack: str
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    calls: tuple[Called, ...] = ()
    faults: Mapping[str, tuple[Complaint, ...]] = field(default_factory=dict)  # by address
    messages: tuple[str, ...] = ()  # what was warned of, such as something deprecated

    def of(self, type_: str) -> tuple[Resource, ...]:
        """All resources of a type, such as `aws:ec2/vpc:Vpc`."""
        return tuple(resource for resource in self.resources if resource.type == type_)

    def one(self, type_: str, name: str = "") -> Resource:
        """The only resource of a type, or of type and name. Raise LookupError if there is none, or many."""
        found = [resource for resource in self.of(type_) if not name or resource.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources are {type_} {name}: {[each.name for each in found]}")
        return found[0]

    def to_dict(self) -> dict[str, Any]:
        """For goldens and people: plain JSON, resources by the tree of their parents."""
        return {
            "stack": self.stack,
            "resources": [resource.to_dict() for resource in self.resources],
            "calls": [{"function": call.token, "arguments": show(call.arguments)} for call in self.calls],
            "outputs": _readable(self.outputs),
            **({"messages": list(self.messages)} if self.messages else {}),
        }

    def to_json(self) -> str:
        """`to_dict` as text that a person can read."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def run_under_mocks(
    program: Callable[[], Any],
    *,
    project: str = "relight",
    stack: str = "south",
    config: Mapping[str, str] | None = None,
    references: Mapping[str, Mapping[str, Any]] | None = None,
    strict: bool = True,
) -> Graph:
    """The graph of what `program` declares; it may return an awaitable.

    `config` has full keys (`relight:estate`), `references` the outputs of other stacks by full name
    (`organization/relight/north`). Raise InvalidDeclaration naming every fault, unless `strict` is false:
    then they are on the graph. Raise UnknownCall for a function that no table answers. What the program
    raises comes out as it is.
    """
    monitor = StrictMonitor(CloudMocks(references or {}))
    context = contextvars.copy_context()
    context.run(_configure, monitor, project, stack, dict(config or {}))
    with warnings.catch_warnings():  # Pulumi leaves these behind when what they wait for has failed
        warnings.filterwarnings("ignore", "coroutine 'Output\\..* was never awaited", RuntimeWarning)
        try:
            _run(program, context)
        except Exception as error:
            if not monitor.recording.refusals:
                _explain(error, monitor.recording)
                raise
        if monitor.recording.refusals:
            gc.collect()
            raise monitor.recording.refusals[0]
    graph = _graph(project, stack, monitor.recording)
    if strict and graph.faults:
        raise invalid(graph.faults)
    return graph


def _explain(error: Exception, recording: Recording) -> None:
    """Raise InvalidDeclaration for what is one; else note the faults so far on the program's own error."""
    stopped = _refused_by_pulumi(str(error)) if isinstance(error, AssertionError | ValueError) else None
    if stopped is not None:
        raise invalid(recording.faults | stopped) from None  # what it is from quotes the value
    for address, found in recording.faults.items():
        error.add_note("\n".join(f"{address}: {fault}" for fault in found))


def _refused_by_pulumi(said: str) -> dict[str, tuple[Complaint, ...]] | None:
    """Pulumi itself stops at a list where it wants one value: the same as a fault, in its words.

    Those words quote the value, which may be a secret, so that only their ends are kept.
    """
    resource = re.match(r"While processing resource: '([^']*)', type '([^']*)'", said)
    if resource is None:
        return None
    key = re.search(r"While processing input: '([^']*)'", said)
    complaint = Complaint(key[1] if key else "", said.splitlines()[-1].rpartition("has risen: ")[2])
    return {f"{resource[2]}::{resource[1]}": (complaint,)}


def _configure(monitor: StrictMonitor, project: str, stack: str, config: dict[str, str]) -> None:
    """Fresh settings for this run alone: Pulumi keeps all of its state in context variables."""
    set_all_config(config, [])
    settings.configure(
        MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            monitor_features=set(),
            engine=ListeningEngine(monitor.recording),
            project=project,
            stack=stack,
            dry_run=False,
            organization="organization",
            root_directory=None,
            parallel=None,
            legacy_apply_enabled=False,
            callbacks=None,
            outputs=set(),
            package_refs={},
            base_providers_by_ref={},
        )
    )
    settings.ROOT.set(None)


def _run(program: Callable[[], Any], context: contextvars.Context) -> None:
    """Run to the end of all that it started; the requests go through one thread, so in one order.

    Garbage is not collected meanwhile: with whole SDKs in memory that took two thirds of the time.
    """
    thread_loop = asyncio.new_event_loop()  # Pulumi's mocks want one in their thread, and never close it
    hands = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(thread_loop,))
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.set_default_executor(hands)
            loop.set_exception_handler(lambda _loop, _context: None)  # the first error is raised; no echoes
            runner.run(run_in_stack(program), context=context)
    finally:
        if was_collecting:
            gc.enable()
        hands.shutdown()
        thread_loop.close()


def _graph(project: str, stack: str, recording: Recording) -> Graph:
    by_urn = {registered.urn: registered for registered in recording.resources}
    addresses = {urn: f"{registered.type}::{registered.name}" for urn, registered in by_urn.items()}
    ordered = sorted(recording.resources, key=lambda registered: _place(registered, by_urn))
    return Graph(
        project=project,
        stack=stack,
        resources=tuple(_resource(registered, addresses) for registered in ordered),
        outputs=show(recording.outputs),
        calls=tuple(sorted(recording.calls, key=lambda call: (call.token, json.dumps(show(call.arguments))))),
        faults=dict(sorted(recording.faults.items())),
        messages=tuple(sorted(recording.messages)),
    )


def _place(registered: Registered, by_urn: Mapping[str, Registered]) -> list[tuple[str, str]]:
    """Where it stands in the tree: names and types from the stack down to it."""
    above = by_urn.get(registered.request.parent)
    return [*(_place(above, by_urn) if above else []), (registered.name, registered.type)]


def _resource(registered: Registered, addresses: Mapping[str, str]) -> Resource:
    request = registered.request
    declared = not registered.looked_up
    return Resource(
        type=registered.type,
        name=registered.name,
        urn=registered.urn,
        inputs=show(registered.inputs),
        parent=addresses.get(request.parent, ""),
        component=declared and not request.custom,
        provider=request.provider.split("::")[-2] if request.provider else "",
        looked_up=registered.looked_up,
        protect=declared and request.protect,
        depends_on=tuple(sorted(addresses[urn] for urn in request.dependencies if urn in addresses)),
        options=_options(request, addresses) if declared else {},
    )


def _options(request: Any, addresses: Mapping[str, str]) -> dict[str, Any]:
    """The rest of the options, by their Python names, only those that were given.

    Aliases of a type alone are the SDK's own, one for each former name of the type: they are left out.
    """
    timeouts = request.customTimeouts
    options = {
        "aliases": sorted(_alias(alias) for alias in request.aliases if alias.urn or alias.spec.name),
        "custom_timeouts": {word: getattr(timeouts, word) for word in ("create", "update", "delete")},
        "delete_before_replace": request.deleteBeforeReplace,
        "deleted_with": addresses.get(request.deletedWith, ""),
        "ignore_changes": sorted(request.ignoreChanges),
        "import_": request.importId,
        "replace_on_changes": sorted(request.replaceOnChanges),
        "retain_on_delete": request.retainOnDelete,
    }
    options["custom_timeouts"] = {word: value for word, value in options["custom_timeouts"].items() if value}
    return {key: value for key, value in options.items() if value}


def _alias(alias: Any) -> str:
    if alias.urn:
        return str(alias.urn)
    return f"{alias.spec.type}::{alias.spec.name}" if alias.spec.type else str(alias.spec.name)


def _readable(value: Any) -> Any:
    """Policies and the like travel as JSON in text: opened, marked by the key `(json)`."""
    match value:
        case str() if value[:1] in ("{", "["):
            try:
                return {"(json)": json.loads(value)}
            except ValueError:
                return value
        case dict():
            return {key: _readable(item) for key, item in value.items()}
        case list():
            return [_readable(item) for item in value]
        case _:
            return value
