"""The sandbox's secrets, in files that only their owner reads, and the stores that they open."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from pathlib import Path

from relight.estate import S3Store, Secrets
from relight.objects import ObjectStore
from relight.objects.adapters.obstore import s3_objects
from relight.sandbox.layout import ACCESS_KEY, BUCKET, SECRET_KEY, SITES, TSIG_KEY, Layout
from relight.vault.adapters.objects import ObjectVault

_TIMEOUT = timedelta(seconds=5)


def write_secrets(folder: Path) -> None:
    """Make new ones."""
    values = {
        ACCESS_KEY: "sandbox" + secrets.token_hex(6),
        SECRET_KEY: secrets.token_hex(20),
        TSIG_KEY: base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    for name, value in values.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(value + "\n", encoding="utf-8")


def declared_store(layout: Layout, store: str) -> S3Store:
    """A store as the estate declares it."""
    return S3Store(
        kind="s3",
        bucket=BUCKET,
        endpoint=layout.store(store),
        access_key=f"file:{ACCESS_KEY}",
        secret_key=f"file:{SECRET_KEY}",
        site=store if store in SITES else None,
    )


def open_store(layout: Layout, store: str, timeout: timedelta = _TIMEOUT) -> ObjectStore:
    """The objects in a store."""
    return s3_objects(store, declared_store(layout, store), Secrets(layout.folder), timeout)


def open_vault(layout: Layout, store: str) -> ObjectVault:
    """The recovery points in a store."""
    return ObjectVault(open_store(layout, store), store)
