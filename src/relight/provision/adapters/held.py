"""Who holds a stack, read from where Pulumi keeps its state (.pulumi/locks) without writing to it.

Every command of the engine that would tell takes the lock itself first, and saves the state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from relight.errors import Unreachable
from relight.provision.port import Lock, LockUnknown

_LOCKS = ".pulumi/locks/organization"  # /PROJECT/STACK/ID.json
_YES = {"true", "1"}


def read_locks(
    backend: str, project: str, stack: str, root: Path, environment: Mapping[str, str]
) -> tuple[Lock, ...]:
    """The locks of a stack, oldest first; `backend` is the state's URL, files being relative to `root`.

    Raise LockUnknown where it is of a kind that is not read here, Unreachable where it does not answer.
    """
    where = urlsplit(backend)
    readers: dict[str, Callable[[str], Iterable[tuple[str, bytes]]]] = {
        "file": lambda under: _files(root, where.netloc + where.path, under),
        "s3": lambda under: _objects(backend, environment, under),
    }
    if where.scheme not in readers:
        raise LockUnknown(
            f"who holds the stack {stack} cannot be seen at {where.scheme}:// without writing to its state",
            "an update tells it: it takes the lock first",
        )
    found = readers[where.scheme](f"{_LOCKS}/{project}/{stack}/")
    return tuple(sorted((_parse(name, content) for name, content in found), key=lambda lock: lock.since))


def _parse(name: str, content: bytes) -> Lock:
    try:
        said = json.loads(content)
        return Lock(
            id=name.removesuffix(".json"),
            user=said["username"],
            host=said["hostname"],
            pid=said["pid"],
            since=datetime.fromisoformat(said["timestamp"]),
        )
    except (ValueError, KeyError, TypeError):
        raise LockUnknown(
            f"there is a lock {name} that cannot be read: half written, or of another version of pulumi",
            "look at it again; if it stays so, its update was killed: pulumi cancel takes it away",
        ) from None


def _files(root: Path, path: str, under: str) -> Iterator[tuple[str, bytes]]:
    state = root / Path(path).expanduser()
    if not state.is_dir():
        raise Unreachable(f"there is no folder {state}, where the state is kept", "is it mounted?")
    for file in sorted((state / under).glob("*.json")):
        with suppress(FileNotFoundError):  # given back just now
            yield file.name, file.read_bytes()


def _objects(backend: str, environment: Mapping[str, str], under: str) -> Iterator[tuple[str, bytes]]:
    where = urlsplit(backend)
    prefix = f"{where.path.strip('/')}/".lstrip("/") + under
    with _translated(where.netloc):
        client = _client({key: values[-1] for key, values in parse_qs(where.query).items()}, environment)
        listed = client.list_objects_v2(Bucket=where.netloc, Prefix=prefix)
        for each in listed.get("Contents", ()):
            with suppress(client.exceptions.NoSuchKey):  # given back just now
                got = client.get_object(Bucket=where.netloc, Key=each["Key"])
                yield each["Key"].rpartition("/")[2], got["Body"].read()


def _client(options: Mapping[str, str], environment: Mapping[str, str]) -> Any:
    """A client as the engine makes one of its URL's options and its environment."""
    style = any(
        options.get(name, "") in _YES for name in ("s3ForcePathStyle", "use_path_style", "hostname_immutable")
    )
    session = import_module("botocore.session").Session(
        profile=options.get("profile") or environment.get("AWS_PROFILE")
    )
    endpoint = options.get("endpoint")
    if endpoint and "://" not in endpoint:
        endpoint = f"{'http' if options.get('disableSSL') in _YES else 'https'}://{endpoint}"
    return session.create_client(
        "s3",
        region_name=options.get("region") or environment.get("AWS_REGION"),
        endpoint_url=endpoint,
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        config=import_module("botocore.config").Config(
            connect_timeout=1,
            read_timeout=2,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if style else "auto"},
        ),
    )


@contextmanager
def _translated(bucket: str) -> Iterator[None]:
    try:
        errors = import_module("botocore.exceptions")
    except ModuleNotFoundError:
        raise LockUnknown(
            f"who holds a stack in the bucket {bucket} cannot be read", "pip install 'relight[aws]'"
        ) from None
    try:
        yield
    except (errors.BotoCoreError, errors.ClientError) as error:
        raise Unreachable(f"the state in the bucket {bucket} is out of reach: {error}") from None
