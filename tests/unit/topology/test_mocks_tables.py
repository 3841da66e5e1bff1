"""The tables of the mocks name what the SDKs really have."""

from __future__ import annotations

import inspect
from typing import Any

import pulumi_aws as aws
import pulumi_gcp as gcp
import pytest

from relight.topology.arguments import answers_call, resource_arguments, resource_class
from relight.topology.billing import BILLED
from relight.topology.outputs import CALLS, COMPUTED, Made

SDKS = (aws, gcp)  # imported whole, so that their types are known


def outputs_of(token: str) -> set[str]:
    """The wire names of what a resource gives."""
    found: Any = resource_class(token)
    getters = [member.fget for _, member in inspect.getmembers_static(found) if isinstance(member, property)]
    return {getattr(getter, "_pulumi_name", "") for getter in getters}


@pytest.mark.parametrize(
    "token", [token for token in BILLED if not token.startswith(("pulumi:", "kubernetes:"))]
)
def test_a_billed_type_exists(token: str) -> None:
    assert resource_arguments(token) is not None


@pytest.mark.parametrize("token", COMPUTED)
def test_a_computed_output_exists(token: str) -> None:
    row = COMPUTED[token]
    given = row(Made(token, "name", "name-id", {})) if callable(row) else row
    assert set(given) <= outputs_of(token)


@pytest.mark.parametrize("token", CALLS)
def test_an_answered_function_exists(token: str) -> None:
    assert answers_call(token)
