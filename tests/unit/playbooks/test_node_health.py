"""The judgement of a node's health; what its tools say is in tests/cases/node_health."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "playbooks/roles/node_health"
CASES = ROOT / "tests/cases/node_health"
SMI, NVLINK, CHRONY, KERNEL = (
    (CASES / name).read_text() for name in ("nvidia-smi.xml", "nvlink.txt", "chrony.txt", "kernel.txt")
)
NVME = (CASES / "smart-nvme.json").read_text()


def load(name: str) -> ModuleType:
    """A module of the role, which Ansible sends to nodes, as it stands."""
    spec = importlib.util.spec_from_file_location(name, ROLE / f"module_utils/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gpus, host = load("node_health_gpus"), load("node_health_host")
_DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
WANT: dict[str, Any] = {name.removeprefix("node_health_"): value for name, value in _DEFAULTS.items()}


def said(out: str, rc: int | None = 0) -> dict[str, Any]:
    return {"rc": rc, "out": out}


def gpu_node(smi: str = SMI, **changes: Any) -> dict[str, Any]:
    commands = {"nvidia_smi": said(smi), "nvlink": said(NVLINK), "kernel_log": said("")}
    return {"commands": commands | changes.pop("commands", {}), "gpus_on_bus": 2, **changes}


def judged(raw: dict[str, Any], **want: Any) -> dict[str, tuple[str, str]]:
    checks = gpus.judge_gpus(raw, WANT | want)
    return {one["check"]: (one["state"], one["reason"]) for one in checks}


# GPUs


def test_a_good_node_is_healthy_and_every_check_says_what_it_saw() -> None:
    checks = judged(gpu_node())
    assert {state for state, _ in checks.values()} == {"ok"}
    assert checks["gpus"] == ("ok", "2: NVIDIA H100 80GB HBM3")
    assert checks["driver"] == ("ok", "driver 570.124.06, CUDA 12.8")
    assert checks["gpu1.remaps"] == ("ok", "1 rows remapped")
    assert checks["nvlink"] == ("ok", "36 links are active")
    assert checks["gpu_processes"] == ("ok", "2: python3 (pid 4711)")
    assert checks["xids"] == ("ok", "none in the last hour")


@pytest.mark.parametrize(
    ("before", "after", "check", "state", "told"),
    [
        ("action>None<", "action>Reset<", "recovery", "bad", "asks for: Reset"),
        ("action>None<", "action>Reboot<", "recovery", "bad", "asks for: Reboot"),
        ("action>None<", "action>Drain P2P<", "recovery", "warn", "asks for: Drain P2P"),
        ("action>None<", "action>Drain and Reset<", "recovery", "bad", "asks for: Drain and Reset"),
        ("action>None<", "action>Something New<", "recovery", "bad", "Something New"),
        ("action>None<", "action>N/A<", "recovery", "unknown", "does not say"),
        ("dram_uncorrectable>0<", "dram_uncorrectable>2<", "ecc", "bad", "2 uncorrectable errors"),
        ("exceeded>No<", "exceeded>Yes<", "ecc", "bad", "threshold"),
        ("current_ecc>Enabled<", "current_ecc>Disabled<", "ecc", "warn", "ECC is off"),
        ("current_ecc>Enabled<", "current_ecc>N/A<", "ecc", "unknown", "does not say"),
        ("pending>No<", "pending>Yes<", "remaps", "warn", "reset the GPU when convenient"),
        ("failure>No<", "failure>Yes<", "remaps", "bad", "no spare row"),
        ("state>Completed<", "state>In Progress<", "fabric", "bad", "not registered: In Progress"),
        ("status>Success<", "status>Insufficient Resources<", "fabric", "bad", "Insufficient Resources"),
        ("route_unhealthy>False<", "route_unhealthy>True<", "fabric", "bad", "route unhealthy"),
        ("bandwidth>N/A<", "bandwidth>Degraded<", "fabric", "bad", "degraded bandwidth"),
        ("in_progress>False<", "in_progress>True<", "fabric", "warn", "recovered"),
        ("state>Completed<", "state>N/A<", "fabric", "unknown", "no NVSwitch fabric"),
        ("hw_thermal_slowdown>Not Active<", "hw_thermal_slowdown>Active<", "clocks", "warn", "at 34 C"),
        ("current_link_width>16x<", "current_link_width>8x<", "pcie", "warn", "8 of 16 lanes"),
    ],
)
def test_what_is_wrong_with_one_gpu_is_told_of_that_gpu_alone(
    before: str, after: str, check: str, state: str, told: str
) -> None:
    assert SMI.count(before) == 2, "the case tests nothing"
    checks = judged(gpu_node(SMI.replace(before, after, 1)))
    assert checks[f"gpu0.{check}"][0] == state
    assert told in checks[f"gpu0.{check}"][1]
    others = {name: found for name, found in checks.items() if name != f"gpu0.{check}"}
    assert {found for found, _ in others.values()} == {"ok"}


def test_errors_of_former_boots_do_not_count_again() -> None:
    assert "<dram_uncorrectable>2</dram_uncorrectable>" in SMI, "the lifetime counter"
    assert judged(gpu_node())["gpu0.ecc"][0] == "ok"


def test_a_gpu_that_the_driver_does_not_see_is_missed() -> None:
    assert judged(gpu_node(gpus_on_bus=8))["gpus"] == ("bad", "the driver sees 2 of 8 GPUs")
    assert judged(gpu_node(), gpus=4)["gpus"] == ("bad", "the driver sees 2 of 4 GPUs")


@pytest.mark.parametrize(
    ("wanted", "state"),
    [("570", "ok"), ("570.124.06", "ok"), ("570.12", "bad"), ("550", "bad"), (None, "ok")],
)
def test_a_driver_is_wanted_by_whole_parts_of_its_version(wanted: str | None, state: str) -> None:
    assert judged(gpu_node(), driver=wanted)["driver"][0] == state


def test_work_on_a_node_that_should_be_idle_is_a_warning() -> None:
    assert judged(gpu_node(), idle=True)["gpu_processes"][0] == "warn"


def test_an_nvidia_smi_that_hangs_or_fails_is_bad_and_the_kernels_log_is_still_read() -> None:
    for answer in (
        said("no answer within 30 s", 124),
        said("No devices were found", 6),
        said("<nvidia_smi_log><gpu"),
    ):
        checks = judged(gpu_node(commands={"nvidia_smi": answer, "kernel_log": said(KERNEL)}))
        assert checks["gpus"][0] == "bad"
        assert checks["xid79"][0] == "bad"
    assert "hangs" in judged(gpu_node(commands={"nvidia_smi": said("", 124)}))["gpus"][1]


def test_a_node_without_gpus_is_unknown_and_one_without_its_driver_is_bad() -> None:
    nothing = {"nvidia_smi": said("", None)}
    assert judged({"commands": nothing, "gpus_on_bus": 0}) == {
        "gpus": ("unknown", "no GPU on the bus and no nvidia-smi")
    }
    assert judged({"commands": nothing, "gpus_on_bus": 8})["gpus"][0] == "bad"
    assert judged({"commands": nothing, "gpus_on_bus": 0}, gpus=8)["gpus"][0] == "bad"


def test_xids_are_weighed_by_what_nvidia_says_must_be_done() -> None:
    checks = judged(gpu_node(commands={"kernel_log": said(KERNEL)}))
    assert checks["xid79"] == ("bad", "fell off the bus, at 0000:19:00, 0000:3b:00")
    assert checks["xid63"][0] == "warn"
    assert checks["xid31"][0] == "ok", "an application's fault is not the GPU's"
    unheard = "NVRM: Xid (PCI:0000:3b:00): 999, who knows"
    assert judged(gpu_node(commands={"kernel_log": said(unheard)}))["xid999"][0] == "warn"
    assert judged(gpu_node(commands={"kernel_log": said("", 1)}))["xids"][0] == "unknown"


def test_links_that_are_down_beside_others_are_bad_and_none_at_all_is_unknown() -> None:
    broken = NVLINK.replace("Link 3: 26.562 GB/s", "Link 3: <inactive>", 1)
    assert judged(gpu_node(commands={"nvlink": said(broken)}))["nvlink"] == (
        "bad",
        "1 of 36 links are inactive",
    )
    dark = NVLINK.replace("26.562 GB/s", "<inactive>")
    assert judged(gpu_node(commands={"nvlink": said(dark)}))["nvlink"][0] == "warn"
    assert judged(gpu_node(commands={"nvlink": said("", 1)}))["nvlink"][0] == "unknown"


def test_the_inventory_says_what_each_gpu_is() -> None:
    first, second = gpus.inventory(gpu_node())
    assert first == {
        "name": "NVIDIA H100 80GB HBM3",
        "uuid": "GPU-00000000-0000-0000-0000-000000000001",
        "serial": "165000000001",
        "memory": "81559 MiB",
        "bus": "00000000:19:00.0",
        "driver": "570.124.06",
        "cuda": "12.8",
    }
    assert second["bus"] == "00000000:3B:00.0"
    assert gpus.inventory({"commands": {}}) == []


# The rest of the machine

_ROOT_MOUNT = {"device": "/dev/sda1", "at": "/", "type": "ext4", "options": "rw", "free_percent": 50.0}
_GOOD: dict[str, Any] = {
    "commands": {"chrony": said(CHRONY)},
    "kernel": "6.8.0-49-generic",
    "uptime_seconds": 90061.0,
    "memory_gib": 2015,
    "edac": [{"ue": 0, "ce": 3}, {"ue": 0, "ce": 0}],
    "smart": {"nvme0n1": said(NVME)},
    "mdstat": "Personalities : [raid1]\nmd0 : active raid1 sdb1[1] sda1[0]\n      488 blocks [2/2] [UU]\n",
    "mounts": [_ROOT_MOUNT],
    "links": [{"name": "eth0", "state": "up", "speed": 100_000, "changes": 2}],
    "infiniband": [
        {"name": "mlx5_0/1", "state": "4: ACTIVE", "rate": "400 Gb/sec (4X NDR)", "layer": "InfiniBand"}
    ],
}


def of_host(want: dict[str, Any] | None = None, **changes: Any) -> dict[str, tuple[str, str]]:
    checks = host.judge_host(_GOOD | changes, WANT | (want or {}))
    return {one["check"]: (one["state"], one["reason"]) for one in checks}


def test_a_good_machine_is_healthy() -> None:
    checks = of_host()
    assert {state for state, _ in checks.values()} == {"ok"}, checks
    assert checks["uptime"] == ("ok", "up 1 days 01:01, kernel 6.8.0-49-generic")


def test_a_machine_that_says_nothing_is_unknown_and_nothing_breaks() -> None:
    checks = host.judge_host({"commands": {}}, WANT | {"mounts": []})
    assert {one["state"] for one in checks} - {"unknown"} == {"ok"}, "only: no software RAID"
    assert host.verdict_of(checks) == "healthy"


def nvme(**changes: int) -> dict[str, Any]:
    content = json.loads(NVME)
    content["nvme_smart_health_information_log"] |= changes
    return {"nvme0n1": said(json.dumps(content))}


@pytest.mark.parametrize(
    ("changes", "want", "check", "state"),
    [
        ({"commands": {"chrony": said(CHRONY.replace("0.000012345", "0.5"))}}, {}, "clock", "warn"),
        ({"commands": {"chrony": said(CHRONY.replace("0.000012345", "12.0"))}}, {}, "clock", "bad"),
        ({"commands": {"chrony": said("Leap status     : Not synchronised")}}, {}, "clock", "warn"),
        ({"commands": {"timedatectl": said("NTPSynchronized=no")}}, {}, "clock", "warn"),
        ({"commands": {"timedatectl": said("NTPSynchronized=yes")}}, {}, "clock", "ok"),
        ({"commands": {}}, {}, "clock", "unknown"),
        ({}, {"kernel": "5.15"}, "uptime", "bad"),
        ({}, {"memory_gib": 2048}, "memory", "bad"),
        ({"edac": [{"ue": 1, "ce": 0}]}, {}, "memory.ecc", "bad"),
        ({"edac": [{"ue": 0, "ce": 5000}]}, {}, "memory.ecc", "warn"),
        ({"edac": []}, {}, "memory.ecc", "unknown"),
        ({"smart": {}}, {}, "disks", "unknown"),
        ({"smart": nvme(critical_warning=4)}, {}, "disk.nvme0n1", "bad"),
        ({"smart": nvme(available_spare=5)}, {}, "disk.nvme0n1", "bad"),
        ({"smart": nvme(percentage_used=100)}, {}, "disk.nvme0n1", "warn"),
        ({"smart": nvme(media_errors=1)}, {}, "disk.nvme0n1", "warn"),
        ({"smart": {"sda": said('{"smart_status": {"passed": false}}', 8)}}, {}, "disk.sda", "bad"),
        ({"smart": {"sda": said("no answer within 30 s", 124)}}, {}, "disk.sda", "unknown"),
        ({"mdstat": _GOOD["mdstat"].replace("[UU]", "[U_]")}, {}, "raid", "warn"),
        ({"mounts": [_ROOT_MOUNT | {"free_percent": 8.0}]}, {}, "mount./", "warn"),
        ({"mounts": [_ROOT_MOUNT | {"free_percent": 1.0}]}, {}, "mount./", "bad"),
        ({"mounts": [_ROOT_MOUNT | {"free_percent": None}]}, {}, "mount./", "bad"),
        ({"mounts": [_ROOT_MOUNT | {"options": "ro,relatime"}]}, {}, "mount./", "bad"),
        ({}, {"mounts": ["/data"]}, "mount./data", "bad"),
        ({}, {"links": {"eth0": 200_000}}, "link.eth0", "bad"),
        ({}, {"links": {"eth9": 100_000}}, "link.eth9", "bad"),
        (
            {"links": [{"name": "eth0", "state": "up", "speed": None, "changes": 400}]},
            {},
            "link.eth0",
            "warn",
        ),
        ({"links": []}, {}, "links", "unknown"),
        ({}, {"infiniband": 8}, "infiniband", "bad"),
        ({"infiniband": []}, {}, "infiniband", "unknown"),
        (
            {"infiniband": [_GOOD["infiniband"][0] | {"state": "2: INIT"}]},
            {},
            "infiniband.mlx5_0/1",
            "warn",
        ),
    ],
)
def test_what_is_wrong_with_a_machine_is_judged_alone(
    changes: dict[str, Any], want: dict[str, Any], check: str, state: str
) -> None:
    checks = of_host(want, **changes)
    assert checks[check][0] == state, checks
    assert {found for name, (found, _) in checks.items() if name != check} == {"ok"}, checks


def test_one_file_system_at_two_places_is_told_of_once() -> None:
    again = _ROOT_MOUNT | {"at": "/run/again", "free_percent": 1.0}
    assert "mount./run/again" not in of_host(mounts=[_ROOT_MOUNT, again])


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (("ok", "unknown"), "healthy"),
        (("ok", "warn", "unknown"), "degraded"),
        (("ok", "warn", "bad"), "unfit"),
        ((), "healthy"),
    ],
)
def test_the_worst_of_what_is_known_is_the_verdict(states: tuple[str, ...], verdict: str) -> None:
    assert host.verdict_of([host.check("x", state, "") for state in states]) == verdict
