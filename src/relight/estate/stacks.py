"""Stacks: where Pulumi keeps its state, and where what must outlive every site stands."""

from __future__ import annotations

from pydantic import Field

from relight.canonical import Frozen
from relight.estate.clouds import CloudAccount
from relight.estate.identifiers import Identifier
from relight.estate.secrets import SecretRef


class Stacks(Frozen):
    """What the Pulumi program needs besides sites."""

    backend: str = Field(
        pattern=r"^(s3|gs|azblob|file|https)://\S+$",
        description="where Pulumi's state is kept, outside of every site: s3://, gs://, azblob://, https://",
    )
    site: Identifier | None = Field(default=None, description="the site it dies with; none: it stands apart")
    secrets_provider: str | None = Field(
        default=None,
        pattern=r"^(awskms|gcpkms|azurekeyvault|hashivault)://\S+$",
        description="key that secrets in the state are sealed with; none: the passphrase",
    )
    passphrase: SecretRef | None = Field(
        default=None, description="where the passphrase is that secrets in the state are sealed with"
    )
    owner: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$",
        description="whom to call about it: a tag",
    )
    outside: CloudAccount | None = Field(
        default=None, description="where the global stack stands: witness, DNS and health checks"
    )
    newer_regions: tuple[str, ...] = Field(default=(), description="regions that this release does not know")
