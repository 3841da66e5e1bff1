"""The stand-in provider: run as `python provider.py`, it prints its port and serves one engine.

Its cloud is the JSON file STANDIN_CLOUD: {"resources": {id: {"type", "inputs", "given", "urn"}}, "log":
[[op, name]]}. The file STANDIN_CONTROL makes it slow or broken, per resource name: {"delays": {name:
seconds}, "fails": {name: message}, "unreadable": {name: message}}. It refuses types that it does not know. A
create that has begun is finished whatever becomes of the engine, as clouds do; then, with nobody left to
serve, it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

REPLACES = {
    "standin:index:Network": ("cidr",),
    "standin:index:Pool": ("zone",),
    "standin:index:Key": (),
}
"""Types that there are, and what of each cannot be changed in place."""


class Cloud:
    """What exists, shared by every provider process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self.read()
            yield state
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps(state, indent=1), encoding="utf-8")
            draft.replace(self._path)

    def read(self) -> dict[str, Any]:
        if not self._path.exists():
            return {"resources": {}, "log": [], "serial": 0}
        state: dict[str, Any] = json.loads(self._path.read_bytes())
        return state


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """What the engine calls."""

    def __init__(self, cloud: Cloud, control: Path) -> None:
        self._cloud = cloud
        self._control = control
        self.busy = 0
        self._counting = threading.Lock()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version="1.0.0")

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.type not in REPLACES:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the stand-in has no type {request.type}")
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        paths = sorted(differing(plain(request.old_inputs), plain(request.news)))
        fixed = REPLACES.get(request.type, ())
        kind = provider_pb2.PropertyDiff
        detail = {
            path: kind(kind=kind.UPDATE_REPLACE if path in fixed else kind.UPDATE, inputDiff=True)
            for path in paths
        }
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if paths else none,
            diffs=paths,
            replaces=[path for path in paths if path in fixed],
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        with self._working(request.name, context), self._cloud.change() as state:
            state["serial"] += 1
            made = f"{request.name}-{state['serial']:04d}"
            state["resources"][made] = {"type": request.type, "urn": request.urn, "inputs": inputs}
            state["log"].append(["create", request.name])
            given = state["resources"][made]["given"] = self.give(request.type, request.name, made, inputs)
        return provider_pb2.CreateResponse(id=made, properties=struct(given))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        there = self._cloud.read()["resources"].get(request.id)
        said = self._controlled("unreadable").get(request.urn.rpartition("::")[2])
        if said:
            context.abort(grpc.StatusCode.UNAVAILABLE, said)
        if there is None:
            return provider_pb2.ReadResponse(id="")
        seen = struct(there["given"] | there["inputs"])
        return provider_pb2.ReadResponse(id=request.id, properties=seen, inputs=struct(there["inputs"]))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)
        inputs = plain(request.news)
        with self._working(request.name, context), self._cloud.change() as state:
            given = self.give(request.type, request.name, request.id, inputs)
            state["resources"][request.id] |= {"inputs": inputs, "given": given}
            state["log"].append(["update", request.name])
        return provider_pb2.UpdateResponse(properties=struct(given))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        with self._working(request.name, context), self._cloud.change() as state:
            state["resources"].pop(request.id, None)
            state["log"].append(["delete", request.name])
        return empty_pb2.Empty()

    def give(self, kind: str, name: str, identity: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What a resource answers with once it is made."""
        return dict(inputs)

    def _controlled(self, how: str) -> dict[str, Any]:
        control = json.loads(self._control.read_bytes()) if self._control.exists() else {}
        told: dict[str, Any] = control.get(how, {})
        return told

    @contextmanager
    def _working(self, name: str, context: Any) -> Iterator[None]:
        with self._counting:
            self.busy += 1
        try:
            delays, fails = self._controlled("delays"), self._controlled("fails")
            with self._cloud.change() as state:
                state["log"].append(["begin", name])
            time.sleep(delays.get(name, 0))
            if name in fails:
                context.abort(grpc.StatusCode.UNKNOWN, fails[name])
            yield
        finally:
            with self._counting:
                self.busy -= 1


def differing(old: Mapping[str, Any], new: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Paths of what differs, as deep as there are objects: "scalingConfig.desiredSize"."""
    for key in {*old, *new}:
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differing(before, after, f"{above}{key}.")
        elif before != after:
            yield above + key


def plain(message: Any) -> dict[str, Any]:
    """The properties without the engine's own marks."""
    content: Mapping[str, Any] = json_format.MessageToDict(message)
    return {key: _whole(value) for key, value in content.items() if not key.startswith("__")}


def _whole(value: Any) -> Any:
    # Numbers travel as doubles.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return value


def struct(content: Mapping[str, Any]) -> Any:
    made = struct_pb2.Struct()
    made.update(content)
    return made


def serve(kind: type[Provider]) -> None:
    """Serve until the engine that started this is gone, and nothing is at work."""
    parent = os.getppid()
    provider = kind(Cloud(Path(os.environ["STANDIN_CLOUD"])), Path(os.environ["STANDIN_CONTROL"]))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while os.getppid() == parent or provider.busy:
        time.sleep(0.1)
    server.stop(grace=None)


if __name__ == "__main__":
    serve(Provider)
