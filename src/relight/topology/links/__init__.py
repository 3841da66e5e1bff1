"""A link's stack: the private way between two sites, which neither of them depends on."""

from relight.topology.links.link import LinkArgs, LinkStack
from relight.topology.links.tunnels import tunnels_for

__all__ = ["LinkArgs", "LinkStack", "tunnels_for"]
