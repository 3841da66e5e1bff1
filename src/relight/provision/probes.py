"""What a survey asks of provisioning: how large the pools of each site should be; is the engine here?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from relight.estate import CloudSite, Estate
from relight.provision.port import Intents
from relight.situation import Probe


class Deciding(Protocol):
    """Where what was decided comes from."""

    def intents(self) -> Intents:
        """What was decided for each site."""


def probes(estate: Estate, world: Deciding) -> Iterator[Probe]:
    """One question per site with pools: its Intent, or None where nothing was decided; and for the engine."""
    if estate.stacks is not None:
        yield Probe(("engine",), _is_here)
    for name, site in estate.sites.items():
        if isinstance(site, CloudSite) and site.pools:
            yield Probe(("sites", name, "intent"), partial(_intent, world, name))


def _is_here() -> bool:
    return shutil.which("pulumi") is not None


def _intent(world: Deciding, site: str) -> object:
    return world.intents().intent(site)
