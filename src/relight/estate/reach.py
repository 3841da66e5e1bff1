"""Would SSH reach every node of a site, each at an address of its own?"""

from __future__ import annotations

from collections.abc import Iterator

from relight.estate.check import Check, wrong
from relight.estate.model import Estate
from relight.estate.sites import OwnNodes
from relight.estate.ssh import Ssh, expand_nodes


def check_reach(estate: Estate) -> Iterator[Check]:
    """Addresses of nodes that are none, nodes without an address, and two nodes at one."""
    for name, site in estate.sites.items():
        if isinstance(site, OwnNodes) and site.ssh is not None:
            yield from _check_addresses(f"sites.{name}.ssh", site.ssh, expand_nodes(site.nodes))


def _check_addresses(path: str, ssh: Ssh, nodes: tuple[str, ...]) -> Iterator[Check]:
    known = frozenset(nodes)
    for node in ssh.addresses:
        if node not in known:
            yield wrong(
                "address-of-no-node",
                f"{path}.addresses.{node}",
                f'the site has no node "{node}"',
                f"it has {nodes[0]} to {nodes[-1]}: correct the name, or leave it out",
            )
    first: dict[str, str] = {}
    for node in nodes:
        address = ssh.address_of(node)
        if node not in ssh.addresses and "{number}" in ssh.address and not any(map(str.isdigit, node)):
            yield wrong(
                "node-without-number",
                f"{path}.address",
                f'"{node}" has no number for {{number}}',
                f"name its address below {path}.addresses",
            )
            return
        if first.setdefault(address, node) != node:
            yield wrong(
                "one-address-for-two-nodes",
                f"{path}.address",
                f'"{first[address]}" and "{node}" would both be reached at {address}',
                "give each node an address of its own",
            )
            return
