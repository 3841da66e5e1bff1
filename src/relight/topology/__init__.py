"""What stands at a site, as Pulumi components: one stack per site, one `global` stack, one per link.

The clouds' Pulumi SDKs are imported in this room and nowhere else, whole (`import pulumi_aws as aws`): deep
imports break those packages. Type checkers do not follow them; `graph.run_under_mocks` checks every argument
instead, at any depth, against the SDKs' own annotations.
"""

from relight.topology.frame import Frame, SiteArgs, Sizes
from relight.topology.program import Decided, declare, require_stack, stack_names
from relight.topology.sizing import full_sizes, quiet_sizes, sizes_of

__all__ = [
    "Decided",
    "Frame",
    "SiteArgs",
    "Sizes",
    "declare",
    "full_sizes",
    "quiet_sizes",
    "require_stack",
    "sizes_of",
    "stack_names",
]
