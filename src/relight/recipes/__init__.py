"""Compositions that runbooks share: pure functions from estate and situation to steps and findings.

A runbook stays the place where the order of things is read; what is the same in each of them is here.
"""

from relight.recipes.bring_up import BringUp, bring_up, make_room
from relight.recipes.grow import (
    Growth,
    asked_nodes,
    engine_findings,
    epoch_of,
    grow,
    growth_estimate,
    shrink,
)
from relight.recipes.move_names import move_names
from relight.recipes.points import floor_of, point_findings

__all__ = [
    "BringUp",
    "Growth",
    "asked_nodes",
    "bring_up",
    "engine_findings",
    "epoch_of",
    "floor_of",
    "grow",
    "growth_estimate",
    "make_room",
    "move_names",
    "point_findings",
    "shrink",
]
