"""What the knob may change."""

from __future__ import annotations

import pytest

from relight.provision import Change
from relight.provision.sizes import SIZES, what_else


def a_change(kind: str, op: str = "update", paths: tuple[str, ...] = (), urn: str = "urn:1") -> Change:
    return Change(urn=urn, name="train-spot", type=kind, op=op, paths=paths)


@pytest.mark.parametrize("kind", SIZES)
def test_a_size_of_a_target_is_nothing_else(kind: str) -> None:
    assert what_else([a_change(kind, paths=tuple(SIZES[kind]))], ["urn:1"]) == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            a_change("aws:autoscaling/group:Group", paths=("desiredCapacity", "launchTemplate.version")),
            "update aws:autoscaling/group:Group train-spot: launchTemplate.version",
        ),
        (
            a_change("kubernetes:apps/v1:Deployment", paths=("spec.template.spec.containers[0].image",)),
            "image",
        ),
        (a_change("aws:autoscaling/group:Group", op="replace", paths=("desiredCapacity",)), "replace"),
        (a_change("aws:autoscaling/group:Group", op="create"), "create"),
        (a_change("aws:autoscaling/group:Group"), "does not tell"),
        (a_change("aws:autoscaling/group:Group", paths=("minSize",), urn="urn:2"), "not of the pool"),
    ],
)
def test_whatever_else_would_change_is_told(change: Change, told: str) -> None:
    (line,) = what_else([change], ["urn:1"])
    assert told in line
