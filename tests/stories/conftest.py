"""What stories with the real engine start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.standin.site import STACK, StandinSite


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> StandinSite:
    """A site that is up, which tests start from a copy of."""
    made = StandinSite(tmp_path_factory.mktemp("standin"))
    made.stacks().up(STACK)
    return made


@pytest.fixture
def risen(first: StandinSite, tmp_path: Path) -> StandinSite:
    return StandinSite(tmp_path / "site", like=first)
