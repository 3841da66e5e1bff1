"""What a survey asks the name servers."""

from __future__ import annotations

import pytest

from relight.errors import NotFound
from relight.traffic import Names
from relight.traffic.fake import FakeNames
from relight.traffic.probes import probes
from rig.estates import an_estate


class World:
    def __init__(self) -> None:
        records = {"app.rig.test.": "127.0.1.1"}
        self.servers = {"north": FakeNames("rig.test.", records), "south": FakeNames("rig.test.")}

    def names(self, server: str) -> Names:
        return self.servers[server]


def test_each_server_of_each_name_is_asked_for_its_address_and_none_is_no_address() -> None:
    asked = {probe.path: probe.ask for probe in probes(an_estate(), World())}
    assert set(asked) == {("dns", "app", "addresses", server) for server in ("north", "south")}
    assert asked["dns", "app", "addresses", "north"]() == "127.0.1.1"
    with pytest.raises(NotFound):
        asked["dns", "app", "addresses", "south"]()
