"""Object stores, where recovery points live, and the witness, which stands outside every site."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.estate.secrets import SecretRef


class S3Store(Frozen):
    """A bucket of any S3-compatible store with conditional writes (If-Match, If-None-Match)."""

    kind: Literal["s3"] = Field(description="any S3-compatible store with conditional writes")
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="it must exist")
    prefix: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$",
        description='folder in the bucket, as "team/vault"; none: the whole bucket',
    )
    region: str = Field(default="us-east-1", description="as the store calls it")
    endpoint: str | None = Field(default=None, pattern=r"^https?://", description="none: Amazon's own")
    access_key: SecretRef | None = Field(default=None, description="none: the environment's credentials")
    secret_key: SecretRef | None = Field(default=None, description="the one that belongs to access_key")
    site: Identifier | None = Field(default=None, description="the site it dies with; none: it stands apart")


Store = S3Store
"""Every kind of store; Google's and Azure's join this union, told apart by `kind`."""


class Witness(Frozen):
    """Where fence, intent and journal heads are kept: a store outside every site that it judges."""

    store: Identifier = Field(description="a store outside every site")
