"""Clients of one account in one region, and what AWS says when it refuses.

Retries are off: the engine retries steps, and a survey has a deadline. A role is assumed at the region's own
STS, so that no other region need be up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's own, of which all its failures to connect are)
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable
from relight.estate import AwsCredentials

CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
_ROLE_SESSION = "relight"

_NOBODY = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSOError,
)
_ABSENT = {"404", "NoSuchBucket", "NoSuchEntity", "NotFoundException", "ResourceNotFoundException"}
_CANNOT_NOW = 500  # and above: the service lives, and another try may find it able
_MOST_SAID = 300
_ONLY_IN = {"route53-recovery-control-config": "us-west-2"}  # services with one region for their changes

_NOT_ACCEPTED = frozenset(
    [
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ]
)
_DENIED = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"])
_THROTTLED = frozenset(
    [
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    ]
)
_BUSY = frozenset(
    [
        "ConflictException",
        "ConcurrentModificationException",
        "DependencyViolation",
        "IncorrectState",
        "ResourceInUse",
        "ResourceInUseException",
        "ResourceContention",
        "ScalingActivityInProgress",
    ]
)


class _WouldBeDone(Refused):
    """A dry run's success, which AWS tells as an error."""


_MEANINGS: tuple[tuple[frozenset[str], type[RelightError], str], ...] = (
    (frozenset(["DryRunOperation"]), _WouldBeDone, ""),
    (
        _NOT_ACCEPTED,
        Refused,
        "the credentials are not accepted, and may have expired: log in again; look at the clock here too",
    ),
    (_DENIED, Refused, "allow it to whom the estate's credentials name"),
    (_THROTTLED, Unreachable, "AWS wants to be asked less often: wait"),
    (_BUSY, Conflict, "another change is under way; wait until it is done"),
)


class AwsClients:
    """Clients by service, each made when first asked for; for any thread. `site` is how errors call it.

    Whose credentials: of the role, assumed with those of the profile or of the environment.
    """

    def __init__(
        self,
        site: str,
        region: str,
        credentials: AwsCredentials,
        *,
        account: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        self.site = site
        self.region = region
        self.account = account
        self._credentials = credentials
        self._endpoint = endpoint  # none: as the region has it, or the environment says
        self._session: botocore.session.Session | None = None
        self._made: dict[str, Any] = {}
        self._lock = Lock()

    def client(self, service: str) -> Any:
        """The client of a service ("ec2"). Raise Refused where no credentials are found."""
        with self._lock, self.translated():
            if service not in self._made:
                self._session = self._session or self._open()
                self._made[service] = self._create(self._session, service)
            return self._made[service]

    def call(self, service: str, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """What one operation ("describe_vpcs") answers; its errors are ours."""
        client = self.client(service)
        with self.translated():
            answer: Mapping[str, Any] = getattr(client, operation)(**arguments)
            return answer

    def try_dry(self, service: str, operation: str, **arguments: Any) -> RelightError | None:
        """Why an operation would be refused, and None if it would not; it is not carried out."""
        client = self.client(service)
        try:
            with self.translated():
                getattr(client, operation)(DryRun=True, **arguments)
        except Unreachable:
            raise
        except _WouldBeDone:
            return None
        except RelightError as error:
            return error
        raise RelightError(f"{self.site}: {operation} answered a dry run with success", "look what it did")

    def every(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        """All items that an operation lists under `key`, page after page."""
        client = self.client(service)
        with self.translated():
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**arguments)[key])
            pages = client.get_paginator(operation).paginate(**arguments)
            return [item for page in pages for item in page.get(key, ())]

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what botocore raises as errors of ours, each with its remedy."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(error) from None
        except ProfileNotFound as error:
            raise Refused(
                f"{self.site}: {error}", "write a profile that `aws configure list` knows"
            ) from None
        except _NOBODY as error:
            raise Refused(
                f"{self.site}: there are no credentials for AWS ({type(error).__name__})",
                "log in (`aws sso login`), or set the profile or the variables that the estate names",
            ) from None
        except (ConnectionError, HTTPClientError) as error:
            raise Unreachable(
                f"{self.site}: AWS in {self.region} does not answer ({type(error).__name__})",
                "is the region up, and reachable from here?",
            ) from None
        except BotoCoreError as error:
            raise RelightError(f"{self.site}: {_cut(str(error))}", "see what AWS wants here") from None

    def _refusal(self, error: ClientError) -> RelightError:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        said = _cut(str(error.response.get("Error", {}).get("Message", "")))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        about = f"{self.site}: {error.operation_name} says {code}: {said}"
        for codes, kind, remedy in _MEANINGS:
            if code in codes:
                return kind(about, remedy)
        if code in _ABSENT or ".NotFound" in code or "not found" in said.lower():
            return NotFound(about, "look whether the stack is up, or the name is right")
        if status >= _CANNOT_NOW:
            return Unreachable(about, "the service is not able now; see the region's health")
        return Refused(about, "see what AWS wants here")

    def _open(self) -> botocore.session.Session:
        session = self._of_profile()
        if self._credentials.role is None:
            return session
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(self._create, session),
            source_credentials=session.get_credentials(),
            role_arn=self._credentials.role,
            extra_args={"RoleSessionName": _ROLE_SESSION},
        )
        if session.get_credentials() is None:
            raise NoCredentialsError
        assuming = self._of_profile()
        assuming.register_component(
            "credential_provider", CredentialResolver(providers=[_AssumedRole(fetcher.fetch_credentials)])
        )
        return assuming

    def _of_profile(self) -> botocore.session.Session:
        session = botocore.session.Session(profile=self._credentials.profile)
        session.set_config_variable("sts_regional_endpoints", "regional")
        return session

    def _create(self, session: botocore.session.Session, service: str, **given: Any) -> Any:
        # `given` is what botocore hands over for STS: the source's own credentials.
        return session.create_client(
            service,
            region_name=_ONLY_IN.get(service, self.region),
            endpoint_url=self._endpoint,
            config=CONFIG,
            **given,
        )


class _AssumedRole(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Credentials of a role, fetched when first used and again before they expire."""

    METHOD = "relight-assume-role"

    def __init__(self, fetch: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> DeferredRefreshableCredentials:
        """See CredentialProvider.load."""
        return DeferredRefreshableCredentials(self._fetch, self.METHOD)


def _cut(text: str) -> str:
    # What follows this is a page of encoded text, of use only to who may decode it.
    text = text.split("Encoded authorization failure message", maxsplit=1)[0].strip()
    return text if len(text) <= _MOST_SAID else text[: _MOST_SAID - 1] + "…"
