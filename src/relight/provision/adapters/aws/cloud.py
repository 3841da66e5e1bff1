"""AWS, for a stack that stands in it."""

from __future__ import annotations

from collections.abc import Callable

from relight.errors import UsageError
from relight.estate import GLOBAL, AwsAccount, AwsSite, Estate, MetalSite
from relight.provision.adapters.aws.capacity import AwsCapacity
from relight.provision.adapters.aws.clients import AwsClients
from relight.provision.adapters.aws.finder import AwsFinder
from relight.provision.adapters.aws.pools import AwsPoolSizes
from relight.provision.port import Cloud


def open_aws(
    estate: Estate, stack: str, _resolve: Callable[[str], str], _writes_here: Callable[[str], bool]
) -> Cloud:
    """What AWS is asked for a site, a link's side in it, or the global stack."""
    where = _account(estate, stack)
    clients = AwsClients(stack, where.region, where.credentials, account=where.account)
    finder = AwsFinder(clients)
    if not isinstance(where, AwsSite):
        return Cloud(finder=finder)
    sizes = AwsPoolSizes(estate.name, stack, where, clients)
    return Cloud(finder=finder, sizes=sizes, capacity=AwsCapacity(estate.name, stack, where, clients))


def _account(estate: Estate, stack: str) -> AwsSite | AwsAccount:
    site = estate.sites.get(stack)
    if isinstance(site, AwsSite):
        return site
    if isinstance(site, MetalSite) and isinstance(site.cloud, AwsAccount):
        return site.cloud
    outside = estate.stacks.outside if estate.stacks else None
    if stack == GLOBAL and isinstance(outside, AwsAccount):
        return outside
    for end in estate.links[stack].between if stack in estate.links else ():
        other = estate.sites.get(end)
        if isinstance(other, AwsSite):
            return other
    raise UsageError(f"{stack} does not stand in AWS", "name a stack of the estate")
