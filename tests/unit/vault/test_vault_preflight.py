"""What the vault tries before a disaster, and that it finds each thing that would stop a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight.estate import Estate
from relight.objects import ANY, ObjectStore
from relight.vault import CopyPoint, FenceStore, Rehydrate, Vault
from relight.vault.fake import BreakingObjects, memory_vault
from relight.vault.preflight import needs, preflight
from rig.estates import an_estate
from rig.points import manifest_of, members_of
from rig.preflights import failing, outcomes

STORES = ("north", "south")


class World:
    def __init__(self) -> None:
        self.made = {name: memory_vault(name) for name in STORES}
        members = members_of(10)
        for vault, _ in self.made.values():
            self.point = vault.seal(manifest_of(members, step=10), members)

    def vault(self, store: str) -> Vault:
        return self.made[store][0]

    def objects(self, store: str) -> ObjectStore:
        return self.made[store][1]

    def store(self, store: str) -> BreakingObjects:
        return self.made[store][1]

    def everything(self) -> dict[str, list[tuple[str, bytes]]]:
        stores = ((name, self.store(name)) for name in STORES)
        return {name: [(key, store.get(key).content) for key in store.list("")] for name, store in stores}


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    declared = an_estate().model_dump(mode="json", by_alias=True)
    for site in STORES:
        declared["sites"][site]["data"] = str(tmp_path / site)
    return Estate.model_validate(declared)


def test_a_vault_that_is_well_passes_and_is_left_as_it_was(estate: Estate, tmp_path: Path) -> None:
    world = World()
    before = world.everything()
    said = outcomes(preflight(estate, world))
    assert len(said) == 6
    assert not [text for text in said.values() if text.startswith("!")]
    assert world.point.id in said["the newest point of digits in store south can be read"]
    assert world.everything() == before
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_does_not_answer_fails_what_is_asked_of_it_and_nothing_else(estate: Estate) -> None:
    world = World()
    world.store("south").allowed = world.store("south").operations
    assert set(failing(preflight(estate, world))) == {
        "store south takes conditional writes",
        "the newest point of digits in store south can be read",
    }


def test_a_store_without_a_point_cannot_be_gone_on_from(estate: Estate) -> None:
    world = World()
    world.made["south"] = memory_vault("south")
    (said,) = failing(preflight(estate, world)).values()
    assert "holds no recovery point of digits" in said


@pytest.mark.parametrize(
    ("file", "content"), [("manifest.json", b"{}"), ("weights.safetensors", b""), ("manifest.json", None)]
)
def test_a_newest_point_that_is_not_whole_is_found(estate: Estate, file: str, content: bytes | None) -> None:
    world = World()
    south = world.store("south")
    (key,) = [key for key in south.list("points") if key.endswith(file)]
    if content is None:
        south.delete(key)
    else:
        south.put(key, content, ANY)
    assert set(failing(preflight(estate, world))) == {"the newest point of digits in store south can be read"}


def test_a_folder_that_cannot_be_written_is_found(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(dir: Path) -> None:  # noqa: A002 (the library's name)
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert set(failing(preflight(estate, World()))) == {
        "points can be laid down at north",
        "points can be laid down at south",
    }


def test_a_disk_that_is_too_full_for_the_newest_points_is_found(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 10

    monkeypatch.setattr("shutil.disk_usage", lambda _: Full)
    (said, _) = failing(preflight(estate, World())).values()
    assert "10B free" in said


def test_steps_need_their_stores_points_and_folders_but_not_what_may_be_away() -> None:
    estate = an_estate()
    rehydrate = Rehydrate(
        workload="digits", store="south", folder="/data/south/digits", floor="none", max_epoch=1
    )
    assert set(needs([rehydrate], estate)) == {
        "store:south",
        "points:digits@south",
        "folder:/data/south/digits",
    }
    copy = CopyPoint(workload="digits", source="north", target="south", at_least_step=1)
    assert "points:digits@south" not in set(needs([copy, rehydrate], estate))
    assert set(needs([copy], estate)) == {"store:north", "store:south"}
    fence = FenceStore(store="north", workload="digits", epoch=2)
    assert set(needs([fence], estate)) == {"store:north"}
    assert not set(needs([fence.model_copy(update={"if_reachable": True})], estate))
