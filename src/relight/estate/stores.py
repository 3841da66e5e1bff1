"""Object stores, where recovery points live, and the witness, which stands outside every site."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from relight.canonical import Frozen
from relight.estate.identifiers import Identifier
from relight.estate.secrets import SecretRef

_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
_PREFIX = r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$"


class Managed(Frozen):
    """How a stack makes a bucket: always versioned, private, encrypted, over TLS only, and locked."""

    lock_days: int = Field(default=30, ge=1, le=3650, description="no version goes away before that")
    lock: Literal["governance", "compliance"] = Field(
        default="governance", description="compliance: nobody at all can shorten it, not even its owner"
    )
    keep_old_versions_days: int = Field(default=30, ge=1, le=3650, description="after they were replaced")
    cool_after_days: int | None = Field(
        default=None, ge=30, le=3650, description="when objects move to a colder tier; none: never"
    )
    replicate_to: Identifier | None = Field(
        default=None,
        description="store that the cloud copies to (S3 to S3); across clouds Relight does",
    )
    within_minutes: Literal[15] | None = Field(
        default=15, description="S3 Replication Time Control, the only figure there is; none: no promise"
    )
    key: str | None = Field(default=None, min_length=1, description="ARN or name of a KMS key; none: its own")

    @model_validator(mode="after")
    def _keeps_what_is_locked(self) -> Managed:
        if self.keep_old_versions_days < self.lock_days:
            raise ValueError(
                f"old versions would be removed after {self.keep_old_versions_days} days, and are locked for "
                f"{self.lock_days}; write keep_old_versions_days: {self.lock_days} or more"
            )
        return self


class S3Store(Frozen):
    """A bucket of any S3-compatible store with conditional writes (If-Match, If-None-Match)."""

    kind: Literal["s3"] = Field(description="any S3-compatible store with conditional writes")
    bucket: str = Field(pattern=_BUCKET, description="it must exist, or be managed")
    prefix: str = Field(
        default="",
        pattern=_PREFIX,
        description='folder in the bucket, as "team/vault"; none: the whole bucket',
    )
    region: str = Field(default="us-east-1", description="as the store calls it")
    endpoint: str | None = Field(default=None, pattern=r"^https?://", description="none: Amazon's own")
    access_key: SecretRef | None = Field(default=None, description="none: the environment's credentials")
    secret_key: SecretRef | None = Field(default=None, description="the one that belongs to access_key")
    site: Identifier | None = Field(default=None, description="the site it dies with; none: it stands apart")
    managed: Managed | None = Field(
        default=None,
        title="Managed",
        description="the stack of its site, or the global one, makes it; none: it is there",
    )


class GcsStore(Frozen):
    """A bucket of Google Cloud Storage."""

    kind: Literal["gcs"] = Field(description="Google Cloud Storage")
    bucket: str = Field(pattern=_BUCKET, description="it must exist, or be managed")
    prefix: str = Field(
        default="",
        pattern=_PREFIX,
        description='folder in the bucket, as "team/vault"; none: the whole bucket',
    )
    location: str = Field(default="US", description='region, or two as "us-central1+us-east1" or "nam4"')
    endpoint: str | None = Field(default=None, pattern=r"^https?://", description="none: Google's own")
    key_file: SecretRef | None = Field(
        default=None, description="where a service account's key is; none: application default credentials"
    )
    site: Identifier | None = Field(default=None, description="the site it dies with; none: it stands apart")
    managed: Managed | None = Field(
        default=None,
        title="Managed",
        description="the stack of its site, or the global one, makes it; none: it is there",
    )


Store = Annotated[S3Store | GcsStore, Field(discriminator="kind")]
"""Every kind of store, told apart by `kind`."""


class Witness(Frozen):
    """Where fence, intent and journal heads are kept: a store outside every site that it judges."""

    store: Identifier = Field(description="a store outside every site")
