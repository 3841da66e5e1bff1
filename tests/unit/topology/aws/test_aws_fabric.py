"""Which network interfaces a machine gets: as AWS documents for each type."""

from __future__ import annotations

import pytest

from relight.estate import MACHINES, machine_of
from relight.topology.aws.fabric import Interface, interfaces_of

OURS = sorted(name for name, machine in MACHINES.items() if machine.cloud == "aws")


@pytest.mark.parametrize("name", OURS)
def test_every_machine_has_one_primary_that_is_not_efa_only_and_an_efa_on_each_card(name: str) -> None:
    found = interfaces_of(MACHINES[name])
    assert (found[0].card, found[0].device) == (0, 0)
    assert found[0].kind != "efa-only"
    fabric = [each.card for each in found if each.kind != "interface"]
    assert sorted(set(fabric)) == sorted(fabric)  # never two on one card
    assert len(fabric) == MACHINES[name].fabric


@pytest.mark.parametrize("name", OURS)
def test_no_place_of_a_machine_is_given_twice(name: str) -> None:
    found = interfaces_of(MACHINES[name])
    assert len({(each.card, each.device) for each in found}) == len(found)


def test_a_p5_has_an_ena_and_efa_only_on_32_cards() -> None:
    found = interfaces_of(machine_of("p5.48xlarge"))
    assert found[:3] == (
        Interface(0, 0, "interface"),
        Interface(0, 1, "efa-only"),
        Interface(1, 0, "efa-only"),
    )
    assert found[-1] == Interface(31, 0, "efa-only")
    assert len(found) == 33


def test_card_0_of_a_p6_b300_carries_ip_only() -> None:
    found = interfaces_of(machine_of("p6-b300.48xlarge"))
    assert found[0] == Interface(0, 0, "interface")
    assert [each.card for each in found[1:]] == list(range(1, 17))
    assert {each.device for each in found[1:]} == {0}


@pytest.mark.parametrize("name", ["p5.4xlarge", "g6.48xlarge"])
def test_a_single_card_has_both_in_one_interface(name: str) -> None:
    assert interfaces_of(machine_of(name)) == (Interface(0, 0, "efa"),)


@pytest.mark.parametrize("name", ["g5.xlarge", "p9.newest"])
def test_a_machine_without_a_known_fabric_has_one_plain_interface(name: str) -> None:
    assert interfaces_of(machine_of(name)) == (Interface(0, 0, "interface"),)
