"""The questions that span sections, asked of a whole estate. Pure: nothing is looked up or asked.

They come in parts: do the names lead somewhere; do the numbers fit each other; would SSH reach every node; do
sites stand where there is such a place, apart from each other, with room to grow, and soon enough; would
names and buckets do what they are for; for each site of the topology, what would be left if it were gone.
"""

from __future__ import annotations

from itertools import chain

from relight.estate.adoption import check_adoption
from relight.estate.capacity import check_capacity
from relight.estate.check import Check
from relight.estate.coherence import check_coherence
from relight.estate.delivery import check_delivery
from relight.estate.model import Estate
from relight.estate.naming import check_naming
from relight.estate.networks import check_networks
from relight.estate.placement import check_placement
from relight.estate.promises import check_promises
from relight.estate.reach import check_reach
from relight.estate.references import check_cycles, check_names
from relight.estate.survival import check_survival

__all__ = ["PARTS", "Check", "check_estate", "check_provisioning"]

PARTS = (
    check_names,
    check_cycles,
    check_coherence,
    check_reach,
    check_placement,
    check_naming,
    check_networks,
    check_capacity,
    check_adoption,
    check_promises,
    check_delivery,
    check_survival,
)
"""The questions, in their order."""


def check_estate(estate: Estate) -> tuple[Check, ...]:
    """Everything that does not fit, in the order of the questions; nothing: an empty tuple."""
    return tuple(dict.fromkeys(chain.from_iterable(part(estate) for part in PARTS)))


def check_provisioning(estate: Estate) -> tuple[Check, ...]:
    """What does not fit of all that a stack is made from: asked right before one is declared.

    The rest of `check_estate` stays out of it: in an incident a doubtful name server must not hold up nodes.
    """
    parts = (
        check_names,
        check_placement,
        check_naming,
        check_networks,
        check_capacity,
        check_adoption,
        check_delivery,
    )
    return tuple(dict.fromkeys(chain.from_iterable(part(estate) for part in parts)))
