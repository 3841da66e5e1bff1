"""DNS: name servers that take signed dynamic updates (RFC 2136), and the names that follow the work."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Literal

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.estate.secrets import SecretRef
from relight.units import Duration

HOST = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+$"


class TsigKey(Frozen):
    """The key that signs updates (RFC 8945); the secret is base64, as name servers write it."""

    name: str = Field(pattern=HOST, description='with its final dot, as "relight."')
    algorithm: Literal["hmac-sha256", "hmac-sha512"] = Field(
        default="hmac-sha256", description="as the server has it for this key"
    )
    secret: SecretRef = Field(description='where the key is, as "env:TSIG_SECRET"')


class NameServer(Frozen):
    """An authoritative server for some zones."""

    address: IPv4Address = Field(description="where it takes queries and updates")
    port: int = Field(default=53, ge=1, le=65535, description="of both UDP and TCP")
    key: TsigKey
    site: Identifier | None = Field(default=None, description="the site it dies with; none: it stands apart")


class DnsName(Frozen):
    """One name, which points at the site where its workload serves."""

    name: str = Field(pattern=HOST, description='fully qualified, with its final dot: "app.example.net."')
    zone: str = Field(pattern=HOST, description='the zone that holds it, as "example.net."')
    ttl: Duration = Field(description="how long clients keep an address; well below the RTO")
    servers: tuple[Identifier, ...] = Field(min_length=1, description="name servers that hold it")
    serves: Identifier = Field(description="the workload behind it")
    targets: dict[Identifier, IPv4Address] = Field(min_length=1, description="address per site")
    check: str | None = Field(
        default=None, pattern=r"^https?://", description="URL under this name that a client asks"
    )


class Dns(Frozen):
    """All name servers and names of the estate."""

    servers: dict[Identifier, NameServer] = Field(default={}, description="name servers that take updates")
    names: dict[Identifier, DnsName] = Field(default={}, description="names that follow the work")
