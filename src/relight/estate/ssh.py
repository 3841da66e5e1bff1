"""How a site's nodes are reached by SSH."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException
from pydantic import AfterValidator, Field

from relight.canonical import Frozen

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@:%-]*")
_PLACEHOLDERS = re.compile(r"\{(node|number)\}")
_NOT_IN_A_PATH = re.compile(r"[\x00-\x1f\"'\\%${}]")
_NUMBER = re.compile(r"(\d+)\D*$")


def _check_word(text: str) -> str:
    # A word that began with "-" would be an option to ssh.
    if not _WORD.fullmatch(text) or len(text) > 253:
        raise ValueError("not an address or a user: letters, digits, . _ - @ : %")
    return text


def _check_pattern(text: str) -> str:
    filled = _PLACEHOLDERS.sub("1", text)
    if filled == text:
        raise ValueError('names no node; write "{node}.north.example.net" or "10.0.1.{number}"')
    _check_word(filled)
    return text


def _check_path(text: str) -> str:
    # It goes through a shell's rules of quoting, ssh's, and Ansible's templates.
    if not text.strip() or _NOT_IN_A_PATH.search(text):
        raise ValueError("not a path that can be passed to ssh: no quotes, backslashes, braces, % or $")
    return text


_Word = Annotated[str, AfterValidator(_check_word)]
_Path = Annotated[str, AfterValidator(_check_path)]


class Ssh(Frozen):
    """How a controller reaches the nodes of a site by SSH: what Ansible's inventory is made of.

    Keys are files on the controllers, which must not lie in the site they open: a dead site takes them along.
    """

    user: _Word = Field(default="root", description="whom to log in as")
    port: int = Field(default=22, ge=1, le=65535, description="where sshd listens")
    key_file: _Path | None = Field(
        default=None, description="private key, from the project's root; none: what ssh finds, or its agent"
    )
    address: Annotated[str, AfterValidator(_check_pattern)] = Field(
        default="{node}",
        description='of each node: {node} is its name, {number} the last number in it, as "10.0.1.{number}"',
    )
    addresses: dict[_Word, _Word] = Field(
        default={}, description="address per node, for those that the pattern does not fit"
    )
    known_hosts: _Path | None = Field(
        default=None,
        description="file of host keys, or of the authority that signs them (@cert-authority), from the root",
    )
    host_keys: Literal["known", "new", "any"] = Field(
        default="new",
        description="taken: only known ones; new ones too, never changed ones; or any, unchecked",
    )

    def address_of(self, node: str) -> str:
        """Where sshd of a node listens."""
        if node in self.addresses:
            return self.addresses[node]
        number = _NUMBER.search(node)
        # Without leading zeros: 010 is 8 to some who read addresses.
        values = {"node": node, "number": str(int(number[1])) if number else ""}
        return _PLACEHOLDERS.sub(lambda match: values[match[1]], self.address)


def expand_nodes(text: str) -> tuple[str, ...]:
    """Every node of a node set, in its order: "gpu[08-10]" is gpu08, gpu09, gpu10. Raise ValueError."""
    try:
        # Without groups: they would be read from files and commands of whatever machine this runs on.
        return tuple(NodeSet(text, resolver=RESOLVER_NOGROUP))
    except NodeSetException as error:
        raise ValueError(f"not a node set: {error}") from None
