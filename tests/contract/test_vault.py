"""The promises of `Vault`, over the memory store and over a real S3 server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from relight.errors import Damaged, NotFound, Refused, Unreachable
from relight.objects import ANY, ObjectStore
from relight.objects.adapters.obstore import memory_objects
from relight.situation import PointSummary
from relight.vault import Vault
from relight.vault.adapters.objects import ObjectVault
from relight.vault.copying import copy_point, read_member
from relight.vault.fake import memory_vault
from rig.points import manifest_of, members_of
from rig.races import race
from rig.stores import moto_store, objects_at


@pytest.fixture(scope="module", params=["memory", "moto"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[], ObjectStore]]:
    if request.param == "memory":
        yield memory_objects
    else:
        with moto_store() as endpoint:
            yield lambda: objects_at(endpoint, prefix=f"t{uuid4().hex}")


@pytest.fixture
def objects(make: Callable[[], ObjectStore]) -> ObjectStore:
    return make()


@pytest.fixture
def vault(objects: ObjectStore) -> Vault:
    return ObjectVault(objects, "north")


def seal(vault: Vault, step: int, epoch: int = 1, epoch_from: int = 0) -> PointSummary:
    members = members_of(step)
    return vault.seal(manifest_of(members, step=step, epoch=epoch, epoch_from=epoch_from), members)


def test_before_the_first_seal_there_is_nothing(vault: Vault) -> None:
    assert vault.points("digits") == ()
    assert vault.epoch("digits") == 0


def test_a_sealed_point_is_listed_whole_and_read_back_as_it_was(vault: Vault) -> None:
    point = seal(vault, 10)
    assert vault.points("digits") == (point,)
    assert vault.epoch("digits") == 1
    manifest = vault.manifest(point)
    assert manifest.summary() == point
    read = {member.name: read_member(vault, point, member) for member in manifest.members}
    assert read == members_of(10)


def test_a_range_of_a_member_is_read(vault: Vault) -> None:
    point = seal(vault, 10)
    member = next(m for m in vault.manifest(point).members if m.name == "position.json")
    assert vault.read(point, member, 1, 6) == b'"step"'


def test_sealing_twice_is_sealing_once(vault: Vault) -> None:
    assert seal(vault, 10) == seal(vault, 10)
    assert len(vault.points("digits")) == 1


def test_the_same_members_sealed_again_later_are_the_point_that_was_sealed(vault: Vault) -> None:
    first, members = seal(vault, 10), members_of(10)
    assert vault.seal(manifest_of(members, step=10, seconds=99), members) == first


def test_a_sealed_point_is_never_overwritten_with_other_content(vault: Vault) -> None:
    point, other = seal(vault, 10), members_of(11)
    with pytest.raises(Refused, match="sealed already"):
        vault.seal(manifest_of(other, step=10), other)
    assert (
        read_member(vault, point, vault.manifest(point).members[0]) == members_of(10)["weights.safetensors"]
    )


def test_two_points_cannot_stand_for_one_step_of_one_epoch(vault: Vault) -> None:
    seal(vault, 10)
    members = members_of(10)
    renamed = manifest_of(members, step=10).model_copy(update={"id": "another-name"})
    with pytest.raises(Refused, match="sealed already"):
        vault.seal(renamed, members)


@pytest.mark.parametrize("fault", ["changed", "missing", "strange"])
def test_members_that_the_manifest_does_not_bind_are_refused_before_anything_is_written(
    objects: ObjectStore, vault: Vault, fault: str
) -> None:
    members = members_of(10)
    manifest = manifest_of(members, step=10)
    if fault == "changed":
        members["position.json"] = b"{}"
    elif fault == "missing":
        del members["position.json"]
    else:
        members["other"] = b""
    with pytest.raises(Refused, match="binds"):
        vault.seal(manifest, members)
    assert objects.list("") == []


def test_after_the_epoch_was_raised_the_old_writer_is_refused_and_the_new_one_is_not(vault: Vault) -> None:
    seal(vault, 10)
    vault.raise_epoch("digits", 2)
    with pytest.raises(Refused, match="fenced"):
        seal(vault, 20)
    newer = seal(vault, 12, epoch=2, epoch_from=10)
    assert [p.id for p in vault.points("digits")] == ["digits-e0001-s00000010", newer.id]


def test_a_fenced_writer_leaves_no_bytes(objects: ObjectStore, vault: Vault) -> None:
    vault.raise_epoch("digits", 2)
    with pytest.raises(Refused):
        seal(vault, 10)
    assert objects.list("points") == []


def test_the_epoch_is_never_lowered(vault: Vault) -> None:
    vault.raise_epoch("digits", 3)
    vault.raise_epoch("digits", 2)
    assert vault.epoch("digits") == 3


def test_workloads_do_not_share_an_epoch_or_points(vault: Vault) -> None:
    seal(vault, 10)
    vault.raise_epoch("digits", 5)
    assert vault.epoch("other") == 0
    assert vault.points("other") == ()


def test_a_full_head_lets_the_oldest_go_and_what_is_out_of_the_lineage_first(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight.vault.head.LISTED_POINTS", 4)
    for step in range(1, 6):
        seal(vault, step)
    assert [p.step for p in vault.points("digits")] == [2, 3, 4, 5]
    with pytest.raises(Refused, match="older"):
        seal(vault, 1)
    seal(vault, 4, epoch=2, epoch_from=3)
    assert [(p.epoch, p.step) for p in vault.points("digits")] == [(1, 2), (1, 3), (2, 4)]


def test_sixteen_that_raise_epochs_leave_the_highest(vault: Vault) -> None:
    race(4, lambda number: vault.raise_epoch("digits", number + 1))
    assert vault.epoch("digits") == 4


def test_of_writers_with_other_bytes_for_one_point_one_seals_and_its_bytes_are_read(
    vault: Vault,
) -> None:
    def write(number: int) -> PointSummary:
        members = members_of(number)
        return vault.seal(manifest_of(members, step=10, seconds=number), members)

    outcomes = race(6, write)
    won = [outcome for outcome in outcomes if isinstance(outcome, PointSummary)]
    assert len(won) == 1
    assert all(isinstance(outcome, (PointSummary, Refused)) for outcome in outcomes)
    assert vault.points("digits") == (won[0],)
    for member in vault.manifest(won[0]).members:
        read_member(vault, won[0], member)


def test_a_changed_manifest_is_found(objects: ObjectStore, vault: Vault) -> None:
    point = seal(vault, 10)
    key = next(key for key in objects.list("points") if key.endswith("manifest.json"))
    objects.put(key, objects.get(key).content.replace(b"0.5", b"0.6"), ANY)
    with pytest.raises(Damaged):
        vault.manifest(point)


def test_a_lost_member_is_not_found_and_a_changed_one_is_damaged(objects: ObjectStore, vault: Vault) -> None:
    point = seal(vault, 10)
    weights, optimizer = vault.manifest(point).members[:2]
    keys = {key.rpartition("/")[2]: key for key in objects.list("points")}
    objects.delete(keys[weights.name])
    objects.put(keys[optimizer.name], b"rot", ANY)
    with pytest.raises(NotFound):
        read_member(vault, point, weights)
    with pytest.raises(Damaged):
        read_member(vault, point, optimizer)


@pytest.mark.parametrize(
    "content", [b"", b"{}x", b"\xff\xfe", b"[1]", b'{"version":"2"}', b'{"points":[{}]}']
)
def test_a_head_that_cannot_be_read_is_damaged_and_not_empty(
    objects: ObjectStore, vault: Vault, content: bytes
) -> None:
    objects.put("heads/digits.json", content, ANY)
    for act in (vault.points, vault.epoch, lambda workload: vault.raise_epoch(workload, 9)):
        with pytest.raises(Damaged, match="head"):
            act("digits")
    assert objects.get("heads/digits.json").content == content


def test_a_copied_point_is_the_same_point(objects: ObjectStore, vault: Vault) -> None:
    target, _ = memory_vault("south")
    point = seal(vault, 10)
    assert copy_point(vault, target, point) == point
    assert copy_point(vault, target, point) == point
    assert target.points("digits") == (point,)
    assert target.manifest(point) == vault.manifest(point)


def test_a_copy_of_what_is_damaged_is_not_sealed(objects: ObjectStore, vault: Vault) -> None:
    target, _ = memory_vault("south")
    point = seal(vault, 10)
    key = next(key for key in objects.list("points") if key.endswith("position.json"))
    objects.put(key, b"rot", ANY)
    with pytest.raises(Damaged):
        copy_point(vault, target, point)
    assert target.points("digits") == ()


def test_a_copy_meets_the_fence_of_the_target(vault: Vault) -> None:
    target, _ = memory_vault("south")
    target.raise_epoch("digits", 2)
    with pytest.raises(Refused, match="epoch 2"):
        copy_point(vault, target, seal(vault, 10))


def test_a_dead_store_is_unreachable() -> None:
    vault, store = memory_vault("south")
    store.allowed = 0
    with pytest.raises(Unreachable):
        vault.points("digits")
