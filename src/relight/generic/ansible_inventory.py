"""Ansible's inventory, from what the estate declares. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import Any

from relight.errors import UsageError
from relight.estate import Estate, OwnNodes, Ssh, expand_nodes
from relight.generic.ansible_steps import Ansible
from relight.plan import concrete

_CHECKING = {"known": "yes", "new": "accept-new", "any": "no"}


def hosts_of(spec: Ansible, estate: Estate) -> tuple[str, ...]:
    """The hosts of a step, in the order named and once each. Raise UsageError where one is none."""
    try:
        named = tuple(host for part in concrete(spec.hosts) for host in expand_nodes(part))
    except ValueError as error:
        raise UsageError(str(error), 'write "gpu[01-16]" or "a1"') from None
    if spec.site is None:
        return tuple(dict.fromkeys(named))
    nodes = expand_nodes(_site(estate, spec.site).nodes)
    strangers = sorted(set(named) - set(nodes))
    if strangers:
        shown = ", ".join(strangers[:5]) + (f" and {len(strangers) - 5} more" if len(strangers) > 5 else "")
        raise UsageError(f"site {spec.site} has no node {shown}", f"it has {nodes[0]} to {nodes[-1]}")
    return tuple(dict.fromkeys(named)) or nodes


def make_inventory(spec: Ansible, estate: Estate, hosts: tuple[str, ...], root: Path) -> dict[str, Any]:
    """The inventory: a JSON-like value in the form of Ansible's YAML plugin. Raise UsageError."""
    group: dict[str, Any] = {"hosts": {host: {} for host in hosts}, "vars": {}}
    groups = spec.groups
    if spec.site is not None:
        ssh = _site(estate, spec.site).ssh
        if ssh is None:
            raise UsageError(
                f"the estate does not say how site {spec.site} is reached by SSH",
                f"add sites.{spec.site}.ssh: {{user: …, key_file: …}}",
            )
        group["hosts"] = {host: {"ansible_host": ssh.address_of(host)} for host in hosts}
        group["vars"] = _connection(ssh, root)
        groups = (f"site_{re.sub('[^a-z0-9]', '_', spec.site)}", *groups)
    names: dict[str, dict[str, str]] = {host: {} for host in hosts}
    return {"all": {**group, "children": {name: {"hosts": names} for name in groups}}}


def _site(estate: Estate, name: str) -> OwnNodes:
    if name not in estate.sites:
        raise UsageError(f"the estate declares no site {name!r}", f"it has {', '.join(estate.sites)}")
    site = estate.sites[name]
    if not isinstance(site, OwnNodes):
        raise UsageError(
            f"site {name} has pools, not nodes that are known by name", "name hosts instead of a site"
        )
    return site


def _connection(ssh: Ssh, root: Path) -> dict[str, Any]:
    options = [f"-o StrictHostKeyChecking={_CHECKING[ssh.host_keys]}"]
    known = "/dev/null" if ssh.host_keys == "any" else _below(root, ssh.known_hosts)
    if known:
        option = f'UserKnownHostsFile="{known.replace("%", "%%")}"'
        options.append(f"-o {quote(option)}")
    variables: dict[str, Any] = {
        "ansible_user": ssh.user,
        "ansible_port": ssh.port,
        "ansible_ssh_common_args": " ".join(options),
    }
    if ssh.key_file:
        variables["ansible_ssh_private_key_file"] = _below(root, ssh.key_file)
        # Without it a server ends the connection after six other keys of an agent.
        variables["ansible_ssh_common_args"] += " -o IdentitiesOnly=yes"
    return variables


def _below(root: Path, path: str | None) -> str | None:
    return str(root / Path(path).expanduser()) if path else None
