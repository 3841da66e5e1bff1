"""The object store over obstore: S3 for sites, memory for tests.

Obstore's own retries are off: the engine retries steps, and a survey has a deadline.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.exceptions import NotFoundError as ObstoreNotFound
from obstore.store import MemoryStore, S3Store

from relight.errors import Conflict, NotFound, RelightError, StoreError, Unreachable
from relight.estate import S3Store as DeclaredS3
from relight.estate import Secrets
from relight.objects.port import ABSENT, ANY, Condition, Object, Version

_Mode: TypeAlias = Literal["create", "overwrite"] | dict[str, str | None]

CONNECT_TIMEOUT = timedelta(seconds=2)
REQUEST_TIMEOUT = timedelta(seconds=10)
_SIGNS_OF_SILENCE = ("error sending request", "timed out", "timeout", "connection", "dns error")


class ObstoreObjects:
    """An `ObjectStore` over one obstore store; `name` is how errors call it."""

    def __init__(self, store: S3Store | MemoryStore, name: str) -> None:
        self._store = store
        self._name = name

    def get(self, key: str) -> Object:
        """See ObjectStore.get."""
        try:
            result = obstore.get(self._store, key)
            content = bytes(result.bytes())
            return Object(content, Version(result.meta["e_tag"] or ""))
        except (BaseError, FileNotFoundError, OSError) as error:
            raise self._translated(error, key) from None

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See ObjectStore.get_range."""
        try:
            return bytes(obstore.get_range(self._store, key, start=start, length=length))
        except (BaseError, FileNotFoundError, OSError) as error:
            raise self._translated(error, key) from None

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        """See ObjectStore.put."""
        mode: _Mode
        if condition == ANY:
            mode = "overwrite"
        elif condition == ABSENT:
            mode = "create"
        else:
            mode = {"e_tag": condition, "version": None}
        try:
            result = obstore.put(self._store, key, content, mode=mode, use_multipart=False)  # type: ignore[arg-type]
        except (BaseError, FileNotFoundError, OSError) as error:
            raise self._translated(error, key) from None
        return Version(result["e_tag"] or "")

    def list(self, prefix: str) -> list[str]:
        """See ObjectStore.list."""
        try:
            pages = obstore.list(self._store, prefix=prefix or None)
            return sorted(entry["path"] for page in pages for entry in page)
        except (BaseError, FileNotFoundError, OSError) as error:
            raise self._translated(error, prefix) from None

    def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        try:
            obstore.delete(self._store, key)
        except (ObstoreNotFound, FileNotFoundError):
            return  # gone is what was asked for
        except (BaseError, OSError) as error:
            raise self._translated(error, key) from None

    def _translated(self, error: Exception, key: str) -> RelightError:
        first_line = str(error).split("\n", 1)[0]
        where = f"store {self._name}, {key or 'its root'}"
        if isinstance(error, (AlreadyExistsError, PreconditionError)):
            return Conflict(f"{where}: somebody else wrote it first")
        if isinstance(error, (ObstoreNotFound, FileNotFoundError)):
            return NotFound(f"{where}: not found")
        if any(sign in str(error).lower() for sign in _SIGNS_OF_SILENCE):
            return Unreachable(
                f"{where}: no answer ({first_line[:160]})", "is the store up, and reachable from here?"
            )
        return StoreError(f"{where}: {first_line[:300]}", "check bucket, credentials and rights")


def memory_objects(name: str = "memory") -> ObstoreObjects:
    """A fresh store in this process's memory: the fake."""
    return ObstoreObjects(MemoryStore(), name)


def s3_objects(name: str, declared: DeclaredS3, secrets: Secrets) -> ObstoreObjects:
    """The store that an estate declares; its credentials are resolved here."""
    credentials = {}
    if declared.access_key and declared.secret_key:
        credentials = {
            "access_key_id": secrets.resolve(declared.access_key),
            "secret_access_key": secrets.resolve(declared.secret_key),
        }
    store = S3Store(
        declared.bucket,
        prefix=declared.prefix or None,
        region=declared.region,
        client_options={
            "allow_http": bool(declared.endpoint and declared.endpoint.startswith("http://")),
            "connect_timeout": CONNECT_TIMEOUT,
            "timeout": REQUEST_TIMEOUT,
        },
        retry_config={"max_retries": 0, "retry_timeout": REQUEST_TIMEOUT},
        **({"endpoint": declared.endpoint} if declared.endpoint else {}),  # type: ignore[arg-type]
        **credentials,  # type: ignore[arg-type]
    )
    return ObstoreObjects(store, name)
