"""What is tried of name servers, and that each thing that would stop a swap is found."""

from __future__ import annotations

from relight.errors import Conflict
from relight.traffic import Names, SwapName, VerifyClient
from relight.traffic.fake import FakeNames
from relight.traffic.preflight import needs, preflight
from rig.estates import an_estate
from rig.preflights import failing, outcomes

NAME = "app.rig.test."
GIVES = f"name server south gives an address of ours for {NAME}"
TAKES = f"name server south takes updates of {NAME}"


class World:
    def __init__(self) -> None:
        self.servers = {name: FakeNames("rig.test.", {NAME: "127.0.1.1"}) for name in ("north", "south")}

    def names(self, server: str) -> Names:
        return self.servers[server]


def test_name_servers_that_are_well_pass_and_give_what_they_gave() -> None:
    world = World()
    said = outcomes(preflight(an_estate(), world))
    assert len(said) == 4
    assert said[GIVES] == "127.0.1.1, which is north"
    assert not [text for text in said.values() if text.startswith("!")]
    assert [server.records for server in world.servers.values()] == [{NAME: "127.0.1.1"}] * 2


def test_a_key_that_is_not_accepted_is_found_at_that_server() -> None:
    world = World()
    world.servers["south"].accepts_key = False
    assert set(failing(preflight(an_estate(), world))) == {TAKES}


def test_a_silent_server_fails_both() -> None:
    world = World()
    world.servers["south"].reachable = False
    assert set(failing(preflight(an_estate(), world))) == {GIVES, TAKES}


def test_an_address_of_nobody_is_found_and_none_at_all_is_not_wrong() -> None:
    world = World()
    world.servers["south"].records[NAME] = "10.0.0.1"
    found = failing(preflight(an_estate(), world))
    assert set(found) == {GIVES}
    assert "10.0.0.1" in found[GIVES]
    world.servers["south"].records.clear()
    assert not failing(preflight(an_estate(), world))


def test_a_name_that_moves_meanwhile_is_asked_about_again() -> None:
    class Moving(FakeNames):
        moves = 1

        def rehearse(self, zone: str, name: str) -> None:
            if self.moves:
                self.moves -= 1
                raise Conflict("it moved")
            super().rehearse(zone, name)

    world = World()
    world.servers["south"] = Moving("rig.test.", {NAME: "127.0.1.1"})
    assert not failing(preflight(an_estate(), world))


def test_steps_need_their_servers() -> None:
    servers = ("north", "south")
    swap = SwapName(
        name=NAME, zone="rig.test.", ttl_seconds=1, servers=servers, old="127.0.1.1", new="127.0.1.2"
    )
    ask = VerifyClient(name=NAME, servers=servers[:1], url="http://app.rig.test/", expect="127.0.1.2")
    assert set(needs([swap], an_estate())) == {"server:north", "server:south"}
    assert set(needs([ask], an_estate())) == {"server:north"}
