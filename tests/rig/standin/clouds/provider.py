"""The stand-in for the clouds' own providers: what a type takes and gives is as the strict mocks have it.

Run as `python provider.py PACKAGE`, as the stand-in provider one folder up, whose cloud it shares. It refuses
what the SDK's annotations refuse, and computes, once something is made, what `relight.topology.outputs` says.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

sys.path.insert(0, str(Path(__file__).parents[3]))

from relight.topology.arguments import check_call, check_resource, resource_class
from relight.topology.outputs import CALLS, Made, answer, compute
from relight.topology.wire import read_struct
from rig.standin.provider import Provider, plain, serve, struct


class CloudProvider(Provider):
    """See Provider; one process serves one region, or one cluster."""

    settings: Mapping[str, Any] = {}

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.settings = plain(request.args)
        return super().Configure(request, context)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = request.urn.split("::")[2].rpartition("$")[2]
        faults = check_resource(kind, read_struct(request.news))
        failures = [provider_pb2.CheckFailure(property=each.path, reason=str(each)) for each in faults]
        if resource_class(kind) is None:
            failures = [provider_pb2.CheckFailure(reason=f"there is no type {kind}")]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        arguments = read_struct(request.args)
        faults = check_call(request.tok, arguments)
        if faults or request.tok not in CALLS:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.tok}: {faults or 'is not answered'}")
        place = {"region": self.settings.get("region", "us-east-1")}
        return provider_pb2.InvokeResponse(**{"return": struct(answer(request.tok, place | arguments))})

    def give(self, kind: str, name: str, identity: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """See Provider.give."""
        region = inputs.get("region") or self.settings.get("region") or "us-east-1"
        made = Made(kind, name, identity, inputs, region)
        if "project" in self.settings:
            made = Made(kind, name, identity, inputs, region, self.settings["project"])
        return compute(made)


if __name__ == "__main__":
    # Of the environment an update's process has only what engines and clouds read: this is in it.
    home = Path(os.environ["PULUMI_HOME"]).parent
    os.environ |= {"STANDIN_CLOUD": str(home / "cloud.json"), "STANDIN_CONTROL": str(home / "control.json")}
    importlib.import_module(f"pulumi_{sys.argv[1]}")
    serve(CloudProvider)
