"""What the engine's errors come to; the engine is a script that says what it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from relight.provision import UpdateFailed
from relight.provision.adapters.automation import AutomationStacks

STATE = '{"version": 3, "deployment": {"manifest": {"time": "2026-03-01T03:00:00Z"}}}'
ENGINE = """#!/bin/sh
[ "$1" = --non-interactive ] && shift
case "$1" in
  version) echo v3.260.0 ;;
  stack) echo '{state}' ;;
  *) echo 'a secret of a preview: tiger'; cat "$0.says" >&2; exit 255 ;;
esac
"""


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AutomationStacks]:
    def make(says: str) -> AutomationStacks:
        engine = tmp_path / "pulumi"
        engine.write_text(ENGINE.replace("{state}", STATE))
        engine.chmod(0o755)
        (tmp_path / "pulumi.says").write_text(says)
        (tmp_path / "Pulumi.yaml").write_text("name: acme\nruntime: python\n")
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return AutomationStacks(tmp_path, {})

    return make


def test_a_link_before_its_sites_is_told_what_to_bring_up_first(
    stacks: Callable[[str], AutomationStacks],
) -> None:
    missing = [
        f'error: Preview failed: unknown stack "organization/acme/{site}"' for site in ("ohio", "iowa")
    ]
    with pytest.raises(UpdateFailed, match="bring up ohio and iowa before the link backbone") as met:
        stacks("\n".join(missing)).up("backbone")
    assert met.value.remedy == "relight stacks preview ohio"


def test_a_preview_that_failed_has_done_nothing_that_were_in_the_state(
    stacks: Callable[[str], AutomationStacks],
) -> None:
    failing = stacks("error: no credentials")
    with pytest.raises(UpdateFailed, match="no credentials") as met:
        failing.preview("south")
    assert met.value.remedy == "correct it"
    with pytest.raises(UpdateFailed) as met:
        failing.up("south")
    assert "what was done before is in the state" in met.value.remedy


@pytest.mark.parametrize("says", ["", "error: no credentials"])
def test_what_a_preview_shows_on_its_output_is_in_no_error(
    says: str, stacks: Callable[[str], AutomationStacks]
) -> None:
    with pytest.raises(UpdateFailed) as met:
        stacks(says).preview("south")
    assert "tiger" not in str(met.value)
