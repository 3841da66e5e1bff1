"""What the engine's errors mean: whether the state went away, or the update is at fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.automation import CommandError, CommandResult

from relight.errors import RelightError, Unreachable
from relight.provision import UpdateFailed
from relight.provision.adapters.automation import AutomationStacks


def met(stderr: str, tmp_path: Path) -> RelightError:
    """What is raised where the engine ends so."""
    stacks = AutomationStacks(tmp_path, {})

    def run(*_: object) -> str:
        raise CommandError(CommandResult(stdout="", stderr=stderr, code=255))

    stacks._run = run  # type: ignore[method-assign,assignment]
    with pytest.raises(RelightError) as raised:
        stacks.outputs("south")
    return raised.value


@pytest.mark.parametrize(
    "said",
    [
        "error: update failed\nerror: train: post-step event returned an error: failed to save snapshot: x",
        "error: An IO error occurred while writing the new snapshot file: blob: connection reset",
        "error: dial tcp 192.0.2.1:443: connection refused",
    ],
)
def test_a_state_that_goes_away_is_out_of_reach_also_in_the_middle_of_an_update(
    said: str, tmp_path: Path
) -> None:
    assert isinstance(met(said, tmp_path), Unreachable)


def test_a_cloud_that_refuses_is_no_lost_state(tmp_path: Path) -> None:
    assert isinstance(met("error: train: no quota for p5", tmp_path), UpdateFailed)


def test_a_state_that_is_half_written_is_told_with_where_its_last_copy_is(tmp_path: Path) -> None:
    torn = met("error: failed to load checkpoint: place 1: unexpected end of JSON input", tmp_path)
    assert "cannot be read" in torn.what
    assert "STACK.json.bak" in torn.remedy
