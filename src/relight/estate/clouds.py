"""Where in a cloud something stands, and as whom Relight and Pulumi speak to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from relight.canonical import Frozen
from relight.estate.secrets import SecretRef

_ROLE = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$"
_SERVICE_ACCOUNT = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9.-]*\.iam\.gserviceaccount\.com$"
ACCOUNT = r"^[0-9]{12}$"
PROJECT = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"


class AwsCredentials(Frozen):
    """As whom to speak to AWS: a profile of the shared configuration, a role, or the environment."""

    profile: str | None = Field(default=None, min_length=1, description="of the shared AWS configuration")
    role: str | None = Field(
        default=None, pattern=_ROLE, description="role to assume, from the profile or the environment"
    )
    environment: bool = Field(default=False, description="true: whatever the environment offers")

    @model_validator(mode="after")
    def _names_someone(self) -> AwsCredentials:
        if not (self.profile or self.role or self.environment):
            raise ValueError("names nobody; write profile: NAME, role: ARN, or environment: true")
        return self


class GoogleCredentials(Frozen):
    """As whom to speak to Google Cloud: a key file, an account to impersonate, or the environment."""

    key_file: SecretRef | None = Field(default=None, description="where a service account's key (JSON) is")
    impersonate: str | None = Field(
        default=None, pattern=_SERVICE_ACCOUNT, description="service account to act as"
    )
    environment: bool = Field(default=False, description="true: application default credentials")

    @model_validator(mode="after")
    def _names_someone(self) -> GoogleCredentials:
        if not (self.key_file or self.impersonate or self.environment):
            raise ValueError("names nobody; write key_file:, impersonate: ACCOUNT, or environment: true")
        return self


class AwsAccount(Frozen):
    """An account of AWS in one region."""

    kind: Literal["aws"] = Field(description="Amazon Web Services")
    account: str = Field(pattern=ACCOUNT, description="the account's 12 digits")
    region: str = Field(description='as "eu-north-1"')
    credentials: AwsCredentials = Field(description="as whom: profile, role or environment: true")


class GoogleProject(Frozen):
    """A project of Google Cloud in one region."""

    kind: Literal["gcp"] = Field(description="Google Cloud")
    project: str = Field(pattern=PROJECT, description="the project's id")
    region: str = Field(description='as "europe-west4"')
    credentials: GoogleCredentials = Field(description="as whom: key_file, impersonate or environment: true")


CloudAccount = Annotated[AwsAccount | GoogleProject, Field(discriminator="kind")]
