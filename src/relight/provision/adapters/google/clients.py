"""Google Cloud's REST APIs over HTTPS, with credentials from google-auth, and what they say when they refuse.

Nothing is tried twice: the engine retries steps, and a survey has a deadline.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import google.auth
import httpx
from google.auth import exceptions, impersonated_credentials
from google.auth.credentials import Credentials
from google.auth.transport import Request, Response
from google.oauth2 import service_account

from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable
from relight.estate import GoogleCredentials

ENDPOINTS: Mapping[str, str] = {
    "compute": "https://compute.googleapis.com/compute/v1",
    "container": "https://container.googleapis.com/v1",
    "iam": "https://iam.googleapis.com/v1",
    "iamcredentials": "https://iamcredentials.googleapis.com/v1",
    "kms": "https://cloudkms.googleapis.com/v1",
    "storage": "https://storage.googleapis.com/storage/v1",
    "dns": "https://dns.googleapis.com/dns/v1",
    "file": "https://file.googleapis.com/v1",
    "lustre": "https://lustre.googleapis.com/v1",
}
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TIMEOUT = httpx.Timeout(connect=1.0, read=2.0, write=1.0, pool=1.0)
_THROTTLED = {"rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED"}
_BUSY = {"FAILED_PRECONDITION", "resourceNotReady", "ABORTED"}
_MOST_SAID = 300
_MOST_PAGES = 100


class GoogleClients:
    """The APIs as one identity; for any thread. `site` is how errors call it.

    `resolve` gives the value behind a reference to a secret; `endpoints` replaces those of `ENDPOINTS`.
    """

    def __init__(
        self,
        site: str,
        credentials: GoogleCredentials,
        resolve: Callable[[str], str],
        *,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        self.site = site
        self._declared = credentials
        self._resolve = resolve
        self._endpoints = {**ENDPOINTS, **(endpoints or {})}
        self._http = httpx.Client(timeout=_TIMEOUT)
        self._transport = _Transport(self._http)
        self._credentials: Credentials | None = None
        self._lock = Lock()

    def get(self, api: str, path: str, **query: str) -> Mapping[str, Any]:
        """One resource, as JSON. Raise NotFound, Unreachable, Refused."""
        return self._ask("GET", api, path, query, None)

    def post(
        self, api: str, path: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> Mapping[str, Any]:
        """Do something to a resource; returns what was answered, usually an operation."""
        return self._ask("POST", api, path, query, body)

    def every(self, api: str, path: str, key: str, *, method: str = "GET", **query: str) -> list[Any]:
        """All items that are listed under `key`, page after page."""
        items: list[Any] = []
        for _ in range(_MOST_PAGES):
            answer = self._ask(method, api, path, query, None)
            items += answer.get(key, ())
            if not answer.get("nextPageToken"):
                return items
            query = {**query, "pageToken": str(answer["nextPageToken"])}
        raise RelightError(f"{self.site}: {path} has more than {_MOST_PAGES} pages", "ask for less")

    def _ask(
        self, method: str, api: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        url = f"{self._endpoints[api]}/{path}"
        with self._translated(api):
            headers = self._headers(method, url)
            response = self._http.request(method, url, params=dict(query), json=body, headers=headers)
        if response.is_success:
            return _as_object(response)
        raise self._refusal(f"{method} {path}", response)

    def _headers(self, method: str, url: str) -> dict[str, str]:
        headers: dict[str, str] = {}
        with self._lock:  # google-auth refreshes a token in place
            self._credentials = self._credentials or self._open()
            self._credentials.before_request(  # type: ignore[no-untyped-call]
                self._transport, method, url, headers
            )
        return headers

    def _open(self) -> Credentials:
        source = self._source()
        if self._declared.impersonate is None:
            return source
        acting: Credentials = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
            source,
            self._declared.impersonate,
            list(_SCOPES),
            iam_endpoint_override=f"{self._endpoints['iamcredentials']}/projects/-/serviceAccounts/"
            f"{self._declared.impersonate}:generateAccessToken",
        )
        return acting

    def _source(self) -> Credentials:
        if self._declared.key_file is None:
            found: Credentials = google.auth.default(_SCOPES, request=self._transport)[0]
            return found
        try:
            key = json.loads(self._resolve(self._declared.key_file))
            made: Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                key, scopes=_SCOPES
            )
        except (ValueError, TypeError, exceptions.MalformedError):
            # What it says may be the key itself.
            raise Refused(
                f"{self.site}: {self._declared.key_file} is no key of a service account",
                "write where its JSON key lies",
            ) from None
        return made

    @contextmanager
    def _translated(self, api: str) -> Iterator[None]:
        try:
            yield
        except exceptions.DefaultCredentialsError:
            raise Refused(
                f"{self.site}: there are no credentials for Google Cloud",
                "gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
            ) from None
        except (httpx.RequestError, exceptions.TransportError) as error:
            raise Unreachable(
                f"{self.site}: {api} of Google Cloud does not answer ({type(error).__name__})",
                "is it up, and reachable from here?",
            ) from None
        except exceptions.GoogleAuthError as error:
            if error.retryable:
                raise Unreachable(f"{self.site}: Google Cloud gives no token now", "try again") from None
            raise Refused(
                f"{self.site}: Google Cloud does not accept the credentials ({type(error).__name__})",
                "they may have expired: log in again, or renew the key; may they impersonate the account?",
            ) from None

    def _refusal(self, asked: str, response: httpx.Response) -> RelightError:
        status, reasons, said = _told(response)
        kind: type[RelightError] = Refused
        remedy = "see what Google Cloud wants here"
        if status == httpx.codes.UNAUTHORIZED:
            remedy = "the credentials are not accepted, and may have expired: log in again, or renew the key"
        elif status == httpx.codes.TOO_MANY_REQUESTS or reasons & _THROTTLED:
            kind, remedy = Unreachable, "Google Cloud wants to be asked less often: wait"
        elif status == httpx.codes.FORBIDDEN:
            remedy = "grant the permission, or enable the API, for whom the estate's credentials name"
        elif status == httpx.codes.NOT_FOUND:
            kind, remedy = NotFound, "look whether the stack is up, or the name is right"
        elif status in (httpx.codes.CONFLICT, httpx.codes.PRECONDITION_FAILED) or reasons & _BUSY:
            kind, remedy = Conflict, "another change is under way; wait until it is done"
        elif response.is_server_error:
            kind, remedy = Unreachable, "the service is not able now; see Google Cloud's status"
        return kind(f"{self.site}: {asked} says {status}: {said}", remedy)


class _Transport(Request):
    """How google-auth asks for tokens: through our client, within our timeouts whatever it would wait."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 (ours hold)
        **_: Any,
    ) -> Response:
        try:
            return _Answer(self._http.request(method, url, content=body, headers=headers))
        except httpx.RequestError as error:
            raise exceptions.TransportError(type(error).__name__) from None  # type: ignore[no-untyped-call]


class _Answer(Response):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def data(self) -> bytes:
        return self._response.content


def _as_object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        answer = response.json() if response.content else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RelightError(
            "Google Cloud answers what is not understood", "is a proxy between here and Google Cloud?"
        )
    return answer


def _told(response: httpx.Response) -> tuple[int, set[str], str]:
    """Status, reasons ("rateLimitExceeded", "FAILED_PRECONDITION") and sentence of a refusal."""
    try:
        error = response.json()["error"]
        reasons = {str(item.get("reason")) for item in error.get("errors", ())} | {str(error.get("status"))}
        said = str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return response.status_code, set(), f"status {response.status_code}"
    return response.status_code, reasons, said[:_MOST_SAID]
