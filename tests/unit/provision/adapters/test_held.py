"""Who holds a stack, as its backend has it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from moto import mock_aws

from relight.errors import Unreachable
from relight.provision import Lock, LockUnknown
from relight.provision.adapters.held import read_locks
from rig import aws

WRITTEN = {"pid": 4711, "username": "ann", "hostname": "elsewhere", "timestamp": "2026-11-01T03:00:00.5Z"}
ID = "b8fa10fe-7fa2-446c-866b-5e6f5c8380b2"
LOCK = Lock(
    id=ID, user="ann", host="elsewhere", pid=4711, since=datetime(2026, 11, 1, 3, 0, 0, 500_000, tzinfo=UTC)
)
PLACE = f".pulumi/locks/organization/acme/south/{ID}.json"
SURROUNDINGS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


def test_a_lock_in_files_is_read_from_where_the_project_has_them(tmp_path: Path) -> None:
    for backend, state in (
        ("file://./state", tmp_path / "state"),
        (f"file://{tmp_path}/abs", tmp_path / "abs"),
    ):
        state.mkdir()
        assert read_locks(backend, "acme", "south", tmp_path, {}) == ()
        (state / PLACE).parent.mkdir(parents=True)
        (state / PLACE).write_text(json.dumps(WRITTEN))
        assert read_locks(backend, "acme", "south", tmp_path, {}) == (LOCK,)
        assert read_locks(backend, "acme", "north", tmp_path, {}) == ()
        assert read_locks(backend, "other", "south", tmp_path, {}) == ()
    with pytest.raises(Unreachable, match="no folder"):
        read_locks("file://./gone", "acme", "south", tmp_path, {})


@mock_aws
def test_a_lock_in_a_bucket_is_read_with_the_engines_credentials(tmp_path: Path) -> None:
    store = aws.client("s3")
    store.create_bucket(Bucket="state")
    for backend, prefix in (
        ("s3://state?region=us-east-1&awssdk=v2", ""),
        ("s3://state/of/acme?region=us-east-1", "of/acme/"),
    ):
        assert read_locks(backend, "acme", "south", tmp_path, SURROUNDINGS) == ()
        store.put_object(Bucket="state", Key=f"{prefix}{PLACE}", Body=json.dumps(WRITTEN).encode())
        assert read_locks(backend, "acme", "south", tmp_path, SURROUNDINGS) == (LOCK,)
    with pytest.raises(Unreachable, match="gone"):
        read_locks("s3://gone", "acme", "south", tmp_path, SURROUNDINGS)


@pytest.mark.parametrize("backend", ["gs://state", "azblob://state", "https://api.pulumi.com"])
def test_where_nobody_can_tell_without_writing_that_is_said(backend: str, tmp_path: Path) -> None:
    with pytest.raises(LockUnknown, match="cannot be seen"):
        read_locks(backend, "acme", "south", tmp_path, {})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": 1, "username": "ann"'])
def test_a_lock_that_was_half_written_is_somebodys(content: str, tmp_path: Path) -> None:
    (tmp_path / PLACE).parent.mkdir(parents=True)
    (tmp_path / PLACE).write_text(content)
    with pytest.raises(LockUnknown, match="cannot be read"):
        read_locks(f"file://{tmp_path}", "acme", "south", tmp_path, {})
