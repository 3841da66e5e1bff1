"""The object store over obstore: S3 and Google Cloud Storage for sites, memory for tests.

Obstore's own retries are off: the engine retries steps, and a survey has a deadline. A version is the ETag on
S3, and the generation on Cloud Storage, whose conditional writes know nothing else.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.exceptions import NotFoundError as ObstoreNotFound
from obstore.store import GCSStore, MemoryStore, S3Store

from relight.errors import Conflict, NotFound, RelightError, StoreError, Unreachable, UsageError
from relight.estate import GcsStore as DeclaredGcs
from relight.estate import S3Store as DeclaredS3
from relight.estate import Secrets
from relight.objects.port import ABSENT, ANY, Condition, Object, Version

if TYPE_CHECKING:
    from obstore import PutMode, UpdateVersion
    from obstore.store import ClientConfig, GCSConfig, S3Config, S3Credential

CONNECT_TIMEOUT = timedelta(seconds=1)
REQUEST_TIMEOUT = timedelta(seconds=2)  # the whole of one request: a step's handler must return in about that

# What obstore writes before its "Debug source", which itself mentions timeouts always.
_SILENCE = re.compile(r"HTTP error|timed out|connection|dns error", re.IGNORECASE)
_STATUS = re.compile(r"Server returned non-2xx status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]+)</Message>")
_SYSTEM_SAYS = re.compile(r'message: "([^"]{1,160})"')
_BEYOND_THE_END = re.compile(r"status code: 416|Wanted range starting at")
_CANNOT_NOW = {"429", "500", "502", "503", "504"}  # the store lives, and another try may find it able
_KEY = re.compile(r"(?!\.{1,2}(/|$))[^/\x00-\x1f]+(/(?!\.{1,2}(/|$))[^/\x00-\x1f]+)*")
_OBSTORE_ERRORS = (BaseError, OSError)
_GENERATION = re.compile(r"[1-9][0-9]{0,18}")
_NO_GENERATION = "1"  # generations count microseconds since 1970: no object has this one
_GOOGLES_OWN = "https://storage.googleapis.com"
# Identities that obstore takes from the environment, and cannot be told to leave there.
_RIVALS = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_BEARER_TOKEN")

Mark = Literal["e_tag", "version"]
"""Which of obstore's marks of an object's state a store's conditions go by."""


class ObstoreObjects:
    """An `ObjectStore` over one obstore store; `name` is how errors call it."""

    def __init__(self, store: S3Store | GCSStore | MemoryStore, name: str, mark: Mark = "e_tag") -> None:
        self._store = store
        self._name = name
        self._mark: Mark = mark

    def get(self, key: str) -> Object:
        """See ObjectStore.get."""
        self._require_key(key)
        try:
            result = obstore.get(self._store, key)
            content = bytes(result.bytes())
        except _OBSTORE_ERRORS as error:
            raise self._translated(error, key) from None
        return Object(content, self._version(result.meta[self._mark], key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See ObjectStore.get_range."""
        self._require_key(key)
        try:
            # Obstore refuses empty ranges, but whether the object exists is asked all the same.
            return bytes(obstore.get_range(self._store, key, start=start, length=max(length, 1)))[:length]
        except _OBSTORE_ERRORS as error:
            if _BEYOND_THE_END.search(_said(error)):
                return b""
            raise self._translated(error, key) from None

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        """See ObjectStore.put."""
        self._require_key(key)
        mode: PutMode
        if condition == ANY:
            mode = "overwrite"
        elif condition == ABSENT:
            mode = "create"
        else:
            mode = self._at(condition)
        try:
            result = obstore.put(self._store, key, content, mode=mode, use_multipart=False)
        except _OBSTORE_ERRORS as error:
            raise self._translated(error, key) from None
        return self._version(result[self._mark], key)

    def list(self, prefix: str) -> list[str]:
        """See ObjectStore.list."""
        try:
            pages = obstore.list(self._store, prefix=prefix or None)
            return sorted(entry["path"] for page in pages for entry in page)
        except _OBSTORE_ERRORS as error:
            raise self._translated(error, prefix) from None

    def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        self._require_key(key)
        try:
            obstore.delete(self._store, key)
        except _OBSTORE_ERRORS as error:
            translated = self._translated(error, key)
            if not isinstance(translated, NotFound):  # gone is what was asked for
                raise translated from None

    def _require_key(self, key: str) -> None:
        # Obstore would quietly write "/a" as "a".
        if not _KEY.fullmatch(key):
            raise StoreError(f"store {self._name}: {key!r} is no key", "keys are relative: folder/name")

    def _at(self, version: Version) -> UpdateVersion:
        if self._mark == "e_tag":
            return {"e_tag": version}
        # What is no generation matches nothing; Cloud Storage would call the request malformed instead.
        return {"version": version if _GENERATION.fullmatch(version) else _NO_GENERATION}

    def _version(self, mark: str | None, key: str) -> Version:
        if not mark:
            called, kind = (
                ("ETag", "an S3 store") if self._mark == "e_tag" else ("generation", "Cloud Storage")
            )
            raise StoreError(
                f"store {self._name}, {key}: the store gives no {called}",
                f"conditional writes need one: is this {kind}?",
            )
        return Version(mark)

    def _translated(self, error: Exception, key: str) -> RelightError:
        said = _said(error)
        status = match[1] if (match := _STATUS.search(said)) else ""
        code = match[1] if (match := _CODE.search(said)) else ""
        where = f"store {self._name}, {key or 'its root'}"
        # A 404 is about the object only if the store says so: a missing bucket, a wrong key id or some
        # proxy's page must never read as "nothing was sealed yet".
        other_404 = status == "404" and code != "NoSuchKey"
        if isinstance(error, (AlreadyExistsError, PreconditionError)) and not other_404:
            return Conflict(f"{where}: somebody else wrote it first")
        if isinstance(error, (ObstoreNotFound, FileNotFoundError)) and not other_404:
            return NotFound(f"{where}: not found")
        if status in _CANNOT_NOW or (not status and _SILENCE.search(said)):
            about = f"it answered {status} {code}".rstrip() if status else _why_silent(error)
            return Unreachable(f"{where}: no answer ({about})", "is the store up, and reachable from here?")
        message = match[1] if (match := _MESSAGE.search(said)) else said.split("\n", 1)[0]
        about = f"{code}: {message}" if code else message
        return StoreError(f"{where}: {about[:300]}", "check bucket, region, credentials and rights")


def _said(error: Exception) -> str:
    return str(error).partition("\n\nDebug source")[0]


def _why_silent(error: Exception) -> str:
    everything = str(error)
    if "TimedOut" in everything:
        return "timed out"
    found = _SYSTEM_SAYS.search(everything)
    return found[1] if found else _said(error).rpartition(" - ")[2][:160]


def memory_objects(name: str = "memory") -> ObstoreObjects:
    """A fresh store in this process's memory: the fake."""
    return ObstoreObjects(MemoryStore(), name)


def s3_objects(
    name: str, declared: DeclaredS3, secrets: Secrets, timeout: timedelta = REQUEST_TIMEOUT
) -> ObstoreObjects:
    """The store that an estate declares; its credentials are resolved here.

    `timeout` is for one whole request: who moves large objects outside a step's handler asks for more.
    Raise UsageError for an endpoint that is no URL.
    """
    config: S3Config = {"region": declared.region}
    if declared.endpoint:
        config["endpoint"] = _checked_endpoint(name, declared.endpoint)
    provider = None
    if declared.access_key and declared.secret_key:
        credential: S3Credential = {
            "access_key_id": secrets.resolve(declared.access_key),
            "secret_access_key": secrets.resolve(declared.secret_key),
            "token": None,  # keeps an AWS_SESSION_TOKEN of the environment out
            "expires_at": None,
        }

        def provider() -> S3Credential:
            return credential

    store = S3Store(
        declared.bucket,
        prefix=declared.prefix or None,
        config=config,
        client_options=_client(declared.endpoint, timeout),
        retry_config={"max_retries": 0, "retry_timeout": timeout},
        credential_provider=provider,
    )
    return ObstoreObjects(store, name)


def gcs_objects(
    name: str, declared: DeclaredGcs, secrets: Secrets, timeout: timedelta = REQUEST_TIMEOUT
) -> ObstoreObjects:
    """The bucket of Google Cloud Storage that an estate declares; its key is resolved here.

    `timeout` is for one whole request, as for `s3_objects`. Cloud Storage takes about one write a second of
    the same object, and answers more of them with 429: that is Unreachable, so that it is tried again.
    Raise UsageError for an endpoint that is no URL, for a key file that is no service account's key, and
    where the environment names another identity than the key file.
    """
    config: GCSConfig = {
        "base_url": _checked_endpoint(name, declared.endpoint) if declared.endpoint else _GOOGLES_OWN,
        "skip_signature": False,
    }
    if declared.key_file:
        if rivals := [variable for variable in _RIVALS if os.environ.get(variable)]:
            raise UsageError(
                f"store {name}: {rivals[0]} of the environment stands against its key_file",
                f"unset {rivals[0]}, or leave key_file out",
            )
        config["service_account_key"] = secrets.resolve(declared.key_file)
    try:
        store = GCSStore(
            declared.bucket,
            prefix=declared.prefix or None,
            config=config,
            client_options=_client(declared.endpoint, timeout),
            retry_config={"max_retries": 0, "retry_timeout": timeout},
        )
    except _OBSTORE_ERRORS:  # it would quote the key
        raise UsageError(
            f"store {name}: what says who we are to Google Cloud cannot be read",
            "key_file is a service account's key, in JSON; none: application default credentials",
        ) from None
    return ObstoreObjects(store, name, "version")


def _client(endpoint: str | None, timeout: timedelta) -> ClientConfig:
    return {
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
        "connect_timeout": min(CONNECT_TIMEOUT, timeout),
        "timeout": timeout,
    }


def _checked_endpoint(name: str, endpoint: str) -> str:
    # Obstore panics on an address that it cannot parse, at the first request.
    try:
        parts = urlsplit(endpoint)
        if parts.hostname and re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-f:]+", parts.hostname) and parts.port != 0:
            return endpoint
    except ValueError:
        pass
    raise UsageError(f"store {name}: {endpoint!r} is no address of a store", 'write "https://host:port"')
