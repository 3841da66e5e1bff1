"""Google Cloud, for a stack that stands in it."""

from __future__ import annotations

from collections.abc import Callable

from relight.errors import UsageError
from relight.estate import GLOBAL, Estate, GoogleProject, GoogleSite, MetalSite
from relight.provision.adapters.google.capacity import GoogleCapacity
from relight.provision.adapters.google.clients import GoogleClients
from relight.provision.adapters.google.finder import GoogleFinder
from relight.provision.adapters.google.pools import GooglePoolSizes
from relight.provision.port import Cloud


def open_google(
    estate: Estate, stack: str, resolve: Callable[[str], str], _writes_here: Callable[[str], bool]
) -> Cloud:
    """What Google Cloud is asked for a site, a link's side in it, or the global stack."""
    where = _account(estate, stack)
    clients = GoogleClients(stack, where.credentials, resolve)
    finder = GoogleFinder(where.project, where.region, clients)
    if not isinstance(where, GoogleSite):
        return Cloud(finder=finder)
    sizes = GooglePoolSizes(estate.name, stack, where, clients)
    return Cloud(finder=finder, sizes=sizes, capacity=GoogleCapacity(stack, where, clients))


def _account(estate: Estate, stack: str) -> GoogleSite | GoogleProject:
    site = estate.sites.get(stack)
    if isinstance(site, GoogleSite):
        return site
    if isinstance(site, MetalSite) and isinstance(site.cloud, GoogleProject):
        return site.cloud
    outside = estate.stacks.outside if estate.stacks else None
    if stack == GLOBAL and isinstance(outside, GoogleProject):
        return outside
    for end in estate.links[stack].between if stack in estate.links else ():
        other = estate.sites.get(end)
        if isinstance(other, GoogleSite):
            return other
    raise UsageError(f"{stack} does not stand in Google Cloud", "name a stack of the estate")
