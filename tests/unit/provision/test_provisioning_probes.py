"""What a survey asks of provisioning, and where the answers belong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relight.control.survey import ThreadSurveyor
from relight.estate import load_estate
from relight.provision.fake import FakeIntents
from relight.provision.probes import probes
from relight.situation import Known
from rig.estates import an_estate
from rig.files import EXAMPLES

ESTATES = {path.stem: load_estate(path) for path in EXAMPLES}


class World:
    def intents(self) -> FakeIntents:
        return FakeIntents()


@pytest.mark.parametrize("is_here", [True, False])
def test_whether_the_engine_is_here_is_in_the_situation(
    is_here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if is_here else None)
    estate = ESTATES["active-passive"]
    surveyor = ThreadSurveyor(lambda estate: probes(estate, World()))
    situation = surveyor.survey(estate, timedelta(seconds=5))
    assert situation.engine == Known(value=is_here)
    assert situation.sites["oregon"].intent == Known(value=None)


def test_an_estate_without_stacks_is_asked_for_no_engine() -> None:
    assert not list(probes(an_estate(), World()))
