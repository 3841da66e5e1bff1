"""Whether a resource is declared as its SDK says: every key, type, requirement and enum value, at any depth.

Pulumi's own mocks look at none of this, and its dictionaries of arguments pass any key; the first to
complain would be the cloud, in the middle of an update. Here the SDK's annotations are the schema: the
`…Args` class of a resource names its properties, each annotation is compiled once into a `Shape`, and each
declaration is walked against it.

Names are the ones on the wire (camelCase): Pulumi has translated snake_case by then where it knew the name,
so a wrong key arrives as it was written.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from pulumi.runtime import rpc

from relight.errors import Reason, RelightError
from relight.topology.shapes import (
    AnyShape,
    Complaint,
    ObjectShape,
    Shape,
    function_shape,
    look,
    object_shape,
)
from relight.topology.wire import Secret, Unknown

_PROVIDER = "pulumi:providers:"
_OURS = ("pulumi:pulumi:StackReference",)


class InvalidDeclaration(RelightError):
    """A program declares resources that their SDK does not know so; `reasons` has every fault."""

    exit_code = 1


def check_resource(token: str, inputs: Mapping[str, Any], *, lookup: bool = False) -> tuple[Complaint, ...]:
    """Every fault of one resource; `inputs` as `wire.read` gives them, `lookup` where it is only read."""
    if token in _OURS:
        return ()
    arguments = resource_arguments(token)
    if arguments is None:
        known_to_cluster = _is_custom_kubernetes(token, inputs)
        return () if known_to_cluster else (Complaint("", f"no imported SDK knows the type {token}"),)
    shape = object_shape(arguments)
    if token.startswith(_PROVIDER):
        inputs = _decoded(inputs, shape)
    return tuple(shape.complaints(inputs, "", partly=lookup))


def check_call(token: str, arguments: Mapping[str, Any]) -> tuple[Complaint, ...]:
    """Every fault in the arguments of one function of an SDK (`aws:ec2/getAmi:getAmi`)."""
    shape = _call_shape(token)
    return tuple(shape.complaints(arguments, "")) if shape else ()


@cache
def resource_arguments(token: str) -> type | None:
    """The class that names a resource's arguments, None where no imported SDK has the type."""
    found = resource_class(token)
    if found is None:
        return None
    module = sys.modules[found.__module__]
    for name in (f"{found.__name__}InitArgs", f"{found.__name__}Args"):
        arguments = getattr(module, name, None)
        if isinstance(arguments, type):
            return arguments
    return None


def resource_class(token: str) -> type | None:
    """The class of a type: SDKs register their modules, each with a table from token to class."""
    if token.startswith(_PROVIDER):
        package = sys.modules.get(f"pulumi_{token.removeprefix(_PROVIDER)}")
        return getattr(package, "Provider", None)
    package_name, module_name, _ = token.split(":", 2)
    registered = rpc.get_resource_module(package_name, module_name, "")
    info: Mapping[str, Any] = getattr(registered, "mod_info", {})
    name = info.get("classes", {}).get(token)
    return getattr(importlib.import_module(info["fqn"]), name, None) if name else None


def answers_call(token: str) -> bool:
    """Whether an imported SDK has the function (`aws:ec2/getAmi:getAmi`)."""
    return _call_shape(token) is not None


@cache
def _call_shape(token: str) -> ObjectShape | None:
    """`aws:ec2/getAmi:getAmi` is `pulumi_aws.ec2.get_ami`; `aws:index/…` stands in the package itself."""
    package, module, function = token.split(":", 2)
    room = module.split("/")[0]
    path = f"pulumi_{package}" if room == "index" else f"pulumi_{package}.{room}"
    if sys.modules.get(f"pulumi_{package}") is None:
        return None
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", function).lower()
    called = getattr(importlib.import_module(path), name, None)
    return function_shape(called) if called else None


def _is_custom_kubernetes(token: str, inputs: Mapping[str, Any]) -> bool:
    """A custom resource of a cluster: its schema is in the cluster, so that no SDK can know it."""
    package, module, kind = token.split(":", 2)
    return package == "kubernetes" and inputs.get("kind") == kind and inputs.get("apiVersion") == module


def _decoded(inputs: Mapping[str, Any], shape: ObjectShape) -> dict[str, Any]:
    """A provider's settings travel as JSON text wherever they are not plain text."""
    return {key: _decode(value, shape.property(key)) for key, value in inputs.items()}


def _decode(value: Any, shape: Shape) -> Any:
    if isinstance(value, Secret):
        return Secret(_decode(value.value, shape))
    if isinstance(value, Unknown) or not isinstance(value, str) or isinstance(shape, AnyShape):
        return value
    if next(look(shape, value, ""), None) is None:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def invalid(faults: Mapping[str, tuple[Complaint, ...]]) -> InvalidDeclaration:
    """One error that names every fault; `faults` by the address of their resource."""
    reasons = tuple(Reason(str(fault), path=address) for address, found in faults.items() for fault in found)
    many = f"{len(reasons)} faults" if len(reasons) > 1 else "a fault"
    return InvalidDeclaration(f"the program has {many} in what it declares", reasons=reasons)
