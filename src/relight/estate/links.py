"""Links between sites: tunnels with BGP over diverse gateways, and what replication may use of them."""

from __future__ import annotations

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.estate.secrets import SecretRef
from relight.units import Rate


class Link(Frozen):
    """A private way between two sites; it has a stack of its own, so that neither site needs the other's."""

    between: tuple[Identifier, Identifier] = Field(description="the two sites")
    bandwidth: Rate = Field(description="what the link must carry; a VPN tunnel carries 1.25 Gbit/s at most")
    replication: Rate = Field(description="the part that is set apart for replication")
    preshared_key: SecretRef | None = Field(
        default=None, description="where the tunnels' key is; none: AWS makes one (an end must be there)"
    )
    metered: bool = Field(default=False, description="true: what passes is paid for by the byte")
