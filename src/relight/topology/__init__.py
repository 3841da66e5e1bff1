"""What stands at a site, as Pulumi components: one stack per site, one `global` stack, one per link.

The clouds' Pulumi SDKs are imported in this room and nowhere else, whole (`import pulumi_aws as aws`): deep
imports break those packages. Type checkers do not follow them; `graph.run_under_mocks` checks every argument
instead, at any depth, against the SDKs' own annotations.
"""

from relight.provision import stack_names
from relight.topology.frame import Frame, SiteArgs, Sizes
from relight.topology.meaning import graph_of, pools_of, sentence
from relight.topology.picture import draw_mermaid, draw_tree, list_rows
from relight.topology.program import Decided, declare, require_named, require_stack
from relight.topology.sizing import full_sizes, quiet_sizes, sizes_of

__all__ = [
    "Decided",
    "Frame",
    "SiteArgs",
    "Sizes",
    "declare",
    "draw_mermaid",
    "draw_tree",
    "full_sizes",
    "graph_of",
    "list_rows",
    "pools_of",
    "quiet_sizes",
    "require_named",
    "require_stack",
    "sentence",
    "sizes_of",
    "stack_names",
]
