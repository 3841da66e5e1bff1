"""The people who sign in these tests; their keys are made once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rig.signing import Person, people


@pytest.fixture(scope="session")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Person]:
    return people(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def ada(crew: Mapping[str, Person]) -> Person:
    return crew["ada"]


@pytest.fixture(scope="session")
def grace(crew: Mapping[str, Person]) -> Person:
    return crew["grace"]


@pytest.fixture(scope="session")
def mallory(crew: Mapping[str, Person]) -> Person:
    return crew["mallory"]
