"""What a stack declares: a site, a link, or what outlives them all. The program in `stacks/` calls `declare`.

Nothing is declared before the whole estate was asked whether its stacks can be: regions, networks, pools and
records that no cloud would take are told all at once, with no engine under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

import pulumi

from relight.errors import Reason, UsageError
from relight.estate import CloudSite, Estate, check_provisioning
from relight.provision import stack_names
from relight.situation import Intent
from relight.topology.frame import Frame, SiteArgs
from relight.topology.sizing import read_sizes, sizes_of

SITES = {
    "aws": "relight.topology.aws:Site",
    "gcp": "relight.topology.google:Site",
    "kubernetes": "relight.topology.kubernetes:Site",
    "metal": "relight.topology.metal:Site",
}
"""The component of each kind of site; imported when it is declared, as the clouds' SDKs are large."""


@dataclass(frozen=True)
class Decided:
    """What the witness has for a site: its intent, and the one site that may write for each workload."""

    intent: Intent | None = None  # None: nothing was decided, its quiet sizes hold
    writers: Mapping[str, str] = field(default_factory=dict)


def require_project(estate: Estate, project: str) -> None:
    """Return if the Pulumi project is the estate's own: stacks of two estates are told apart by it alone.

    Raise UsageError.
    """
    if project != estate.name:
        raise UsageError(
            f'the Pulumi project is "{project}" and the estate "{estate.name}": '
            "stacks of another estate could be changed",
            f"write name: {estate.name} into Pulumi.yaml, or the estate's name into estate.yaml",
        )


def require_named(estate: Estate, stack: str) -> None:
    """Return if there is such a stack, whether or not it could be made. Raise UsageError."""
    names = stack_names(estate)
    if estate.stacks is None:
        raise UsageError(
            f"the estate {estate.name} has no stacks", "add stacks: {backend: …, owner: …} to estate.yaml"
        )
    if stack not in names:
        why = "has nothing that a stack makes" if stack in estate.sites else "is no stack"
        raise UsageError(f'"{stack}" {why} of {estate.name}', f"there are {', '.join(names) or 'none'}")


def require_stack(estate: Estate, stack: str) -> None:
    """Return if there is such a stack, and nothing speaks against it. Raise UsageError with every reason."""
    require_named(estate, stack)
    wrong = [check for check in check_provisioning(estate) if check.severity == "error"]
    if wrong:
        raise UsageError(
            f"the estate {estate.name} cannot be provisioned as it is",
            "relight check says where in the file",
            reasons=tuple(Reason(check.message, check.remedy, path=check.path) for check in wrong),
        )


def declare(
    estate: Estate,
    stack: str,
    *,
    ask: Callable[[str], Decided],
    now: datetime,
    resolve: Callable[[str], str] | None = None,
    configured: object = None,
) -> Mapping[str, Any]:
    """Declare everything of a stack, and return what it exports.

    `ask` asks the witness what was decided for a site; `resolve` gives the value behind a reference to a
    secret; `configured`, out of the stack's config, are quiet sizes by pool, in place of the topology's.
    Raise UsageError, Refused, and what `ask` raises: all of it before the first resource is registered.
    """
    require_project(estate, pulumi.get_project())
    require_stack(estate, stack)
    frame = Frame(estate, stack, resolve) if resolve else Frame(estate, stack)
    outputs: Mapping[str, Any]
    if stack in estate.sites:
        site = estate.sites[stack]
        # Also a site that has no pools here: another checkout may have given it some, which work now.
        decided = ask(stack) if isinstance(site, CloudSite) else Decided()
        args = SiteArgs(
            frame,
            sizes=sizes_of(estate, stack, decided.intent, now, read_sizes(configured)),
            active=decided.intent.active if decided.intent else estate.topology.works_quietly(stack),
            authority=decided.writers,
        )
        outputs = _named(SITES[site.kind])(stack, args).outputs
    elif stack in estate.links:
        links = import_module("relight.topology.links")
        outputs = links.LinkStack(stack, links.LinkArgs(frame, stack)).outputs
    else:
        outside = import_module("relight.topology.outside")
        outputs = outside.Outside(stack, outside.OutsideArgs(frame)).outputs
    for name, value in outputs.items():
        pulumi.export(name, value)
    return outputs


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
