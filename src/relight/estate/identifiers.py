"""Names inside an estate: short, lower case, safe in file names, DNS labels, tags and metric labels."""

from __future__ import annotations

from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]


def _check_network(text: str) -> str:
    try:
        return str(IPv4Network(text))
    except ValueError as error:
        raise ValueError(f'is no IPv4 network: {error}; write "10.16.0.0/16"') from None


def _check_address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError('is no IPv4 address; write four numbers, as "192.0.2.10"') from None


Address = Annotated[str, AfterValidator(_check_address)]
"""An IPv4 address as "192.0.2.10"."""

Cidr = Annotated[str, AfterValidator(_check_network)]
"""An IPv4 network as "10.16.0.0/16", without bits behind its prefix."""


def fit_name(name: str, most: int) -> str:
    """The name, or where it is longer than `most` characters its start and a digest of all of it.

    What clouds call a thing is made of several names of an estate, and some clouds allow few characters.
    """
    if len(name) <= most:
        return name
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: most - 9].rstrip('-')}-{digest}"
