"""The network interfaces of a machine: one for IP, and one EFA on every card of its fabric.

After AWS, "Maximize network bandwidth on Amazon EC2 instances with multiple network cards" (EC2 guide): the
primary interface is an ENA at card 0, device 0; a card 0 that knows EFA gets one EFA-only at device 1;
every other card one at device 0. An EFA-only interface takes no address. A machine with a single card has
both in one interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from relight.estate import Machine


@dataclass(frozen=True)
class Interface:
    """One network interface of a launch template."""

    card: int
    device: int
    kind: Literal["interface", "efa", "efa-only"]


def interfaces_of(machine: Machine | None) -> tuple[Interface, ...]:
    """Every interface of a machine, the primary one first; one without a fabric, or unknown, has one."""
    if machine is None or not machine.fabric:
        return (Interface(0, 0, "interface"),)
    first = machine.fabric_from
    if machine.fabric == 1 and first == 0:
        return (Interface(0, 0, "efa"),)
    cards = range(first, first + machine.fabric)
    fabric = (Interface(card, 1 if card == 0 else 0, "efa-only") for card in cards)
    return (Interface(0, 0, "interface"), *fabric)
