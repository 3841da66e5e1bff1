"""The survey: everything at once, one deadline, and what did not come is unknown for a reason."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from relight.control import ThreadSurveyor
from relight.errors import Unreachable
from relight.situation import Known, Probe, Unknown
from rig.estates import an_estate, opinions


def never() -> int:
    threading.Event().wait(30)
    return 0


def refused() -> int:
    raise Unreachable("connection refused", "is it up?")


def broken() -> int:
    raise ZeroDivisionError("of course")


def test_a_survey_takes_what_it_gets_within_its_deadline() -> None:
    probes = [
        Probe(("sites", "south", "free_gpus"), lambda: 8),
        Probe(("sites", "north", "free_gpus"), refused),
        Probe(("sites", "north", "running"), never),
        Probe(("workloads", "digits", "points", "south"), broken),
        Probe(("sites", "north", "opinions", "east"), lambda: opinions("north", (True, True, True))[:1]),
        Probe(("sites", "north", "opinions", "west"), refused),
        Probe(("dns", "app", "addresses", "south"), lambda: "127.0.1.1"),
    ]
    estate = an_estate()
    before = time.monotonic()
    situation = ThreadSurveyor(lambda _: probes).survey(estate, timedelta(seconds=0.3))
    assert time.monotonic() - before < 1.0
    assert situation.sites["south"].free_gpus == Known(value=8)
    assert situation.sites["north"].free_gpus == Unknown(reason="connection refused")
    assert situation.sites["north"].running == Unknown(reason="no answer within 0.3s")
    assert situation.sites["north"].silent_observers == {"west": "connection refused"}
    assert [o.observer for o in situation.sites["north"].opinions] == ["east"]
    assert situation.dns["app"].addresses["south"] == Known(value="127.0.1.1")
    points = situation.workloads["digits"].points["south"]
    assert isinstance(points, Unknown)
    assert "ZeroDivisionError" in points.reason
    assert situation.now.tzinfo is not None
