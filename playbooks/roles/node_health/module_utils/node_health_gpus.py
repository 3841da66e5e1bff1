"""Judges a node's GPUs from what NVIDIA's tools and the kernel say. Pure; runs on nodes, from Python 3.8 on.

Sources: the element names are those of `nvidia-smi -q -x` (drivers 535 to 580). What is bad and what only
wants a look follows NVIDIA's "GPU Memory Error Management" (row remapping, error containment), its catalogue
of Xid errors (column "immediate action") and NVML's nvmlDeviceGpuRecoveryAction_t. Older drivers leave
elements out: what is missing is unknown, never good.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

OK, WARN, BAD, UNKNOWN = "ok", "warn", "bad", "unknown"
_NOTHING = ("", "N/A", "None", "Unknown Error", "Requested functionality has been deprecated")

_ACTIONS = {
    # What the driver asks for; NVML knows none, reset, reboot, drain P2P, drain and reset, and more to come.
    "None": OK,
    "Drain P2P": WARN,  # works on, without peer-to-peer, until it is drained
}

_XIDS = {
    # Immediate action RESET_GPU, RESTART_BM or a workflow that takes the GPU out of work.
    46: (BAD, "the GPU stopped processing"),
    48: (BAD, "uncorrectable ECC error"),
    62: (BAD, "the GPU's microcontroller halted"),
    64: (BAD, "a bad memory row could not be recorded"),
    74: (BAD, "NVLink error"),
    79: (BAD, "fell off the bus"),
    95: (BAD, "uncontained memory error"),
    109: (BAD, "a context switch timed out"),
    110: (BAD, "security fault"),
    119: (BAD, "its GSP did not answer"),
    120: (BAD, "error in its GSP"),
    136: (BAD, "an NVLink did not train"),
    140: (BAD, "unrecovered ECC error"),
    143: (BAD, "did not initialise"),
    # RESTART_APP after a fault of the hardware, or a reset when convenient.
    63: (WARN, "a memory row will be remapped at the next reset"),
    92: (WARN, "many corrected memory errors"),
    94: (WARN, "contained memory error"),
    # An application did something wrong, or was ended: the GPU is as good as before.
    13: (OK, "an application's exception"),
    31: (OK, "an application's page fault"),
    43: (OK, "an application stopped"),
    45: (OK, "an application was cut off"),
    68: (OK, "a video decoder's exception"),
    69: (OK, "an application's exception"),
}
_XIDS.update(dict.fromkeys(range(144, 151), (BAD, "NVLink error")))
_XID = re.compile(r"NVRM: Xid \((?:PCI:)?([^)]+)\): (\d+)")


def judge_gpus(raw: dict, want: dict) -> list:
    """Every check of GPUs: `raw` as the module gathers it, `want` its parameters."""
    smi = raw["commands"].get("nvidia_smi") or {"rc": None, "out": ""}
    on_bus = raw.get("gpus_on_bus", 0)
    if smi["rc"] is None:
        if on_bus or want.get("gpus"):
            return [check("gpus", BAD, f"{on_bus} GPUs on the bus, and no nvidia-smi: is the driver there?")]
        return [check("gpus", UNKNOWN, "no GPU on the bus and no nvidia-smi")]
    root = _read(smi["out"])
    if smi["rc"] != 0 or root is None:
        how = "hangs" if smi["rc"] == 124 else f"ends with {smi['rc']}"
        told = smi["out"].strip().splitlines()[-1:] or ["it says nothing"]
        return [check("gpus", BAD, f"nvidia-smi {how}: {told[0][:200]}"), *judge_xids(raw)]
    gpus = root.findall("gpu")
    checks = [_judge_count(gpus, on_bus, want), _judge_versions(root, want)]
    for number, gpu in enumerate(gpus):
        name = f"gpu{number}"
        checks += [judge(name, gpu) for judge in _EACH]
    return [*checks, _judge_processes(gpus, want), _judge_nvlinks(raw), *judge_xids(raw)]


def check(name: str, state: str, reason: str) -> dict:
    """One judged thing."""
    return {"check": name, "state": state, "reason": reason}


def inventory(raw: dict) -> list:
    """What the GPUs are: one dictionary each, empty where there is no nvidia-smi."""
    root = _read((raw["commands"].get("nvidia_smi") or {}).get("out", ""))
    if root is None:
        return []
    names = {"product_name": "name", "uuid": "uuid", "serial": "serial", "fb_memory_usage/total": "memory"}
    found = []
    for gpu in root.findall("gpu"):
        known = {ours: _text(gpu, theirs) for theirs, ours in names.items()}
        known["bus"] = gpu.get("id", "")
        known["driver"] = _text(root, "driver_version")
        known["cuda"] = _text(root, "cuda_version")
        found.append(known)
    return found


def _read(text: str):
    start = text.find("<nvidia_smi_log")
    try:
        # Written by this node's own driver, as root: nobody else's entities are in it.
        return ET.fromstring(text[start:]) if start >= 0 else None  # noqa: S314
    except ET.ParseError:
        return None


def _text(element, path: str) -> str:
    text = (element.findtext(path) or "").strip()
    return "" if text in _NOTHING else text


def _number(element, path: str) -> int:
    digits = re.match(r"\d+", _text(element, path))
    return int(digits.group()) if digits else 0


def _judge_count(gpus: list, on_bus: int, want: dict) -> dict:
    wanted = want.get("gpus") or on_bus
    if len(gpus) < wanted:
        return check("gpus", BAD, f"the driver sees {len(gpus)} of {wanted} GPUs")
    names = sorted({_text(gpu, "product_name") or "unnamed" for gpu in gpus})
    state = WARN if len(names) > 1 else OK
    return check("gpus", state, f"{len(gpus)}: {', '.join(names)}")


def _judge_versions(root, want: dict) -> dict:
    driver, cuda = _text(root, "driver_version"), _text(root, "cuda_version")
    told = f"driver {driver or 'unknown'}, CUDA {cuda or 'unknown'}"
    wanted = str(want.get("driver") or "")
    if wanted and not (driver + ".").startswith(wanted + "."):
        return check("driver", BAD, f"{told}; wanted: {wanted}")
    return check("driver", OK if driver else UNKNOWN, told)


def _judge_action(name: str, gpu) -> dict:
    action = (gpu.findtext("gpu_recovery_action") or "").strip()
    if action in ("", "N/A"):
        # Drivers before 550 ask for a reset this way.
        if _text(gpu, "gpu_reset_status/reset_required") == "Yes":
            return check(name + ".recovery", BAD, "the driver asks for a reset")
        return check(name + ".recovery", UNKNOWN, "the driver does not say")
    state = _ACTIONS.get(action, BAD)
    told = "none is needed" if state == OK else f"the driver asks for: {action}"
    return check(name + ".recovery", state, told)


def _judge_ecc(name: str, gpu) -> dict:
    mode = _text(gpu, "ecc_mode/current_ecc")
    errors = gpu.find("ecc_errors")
    if not mode or errors is None:
        return check(name + ".ecc", UNKNOWN, "the driver does not say")
    if mode != "Enabled":
        return check(name + ".ecc", WARN, "ECC is off: wrong bits go unseen")
    if _text(errors, "aggregate/sram_threshold_exceeded") == "Yes":
        return check(
            name + ".ecc", BAD, "too many uncorrectable errors in SRAM: NVIDIA's threshold for a return"
        )
    since_boot = sum(
        _number(errors, "volatile/" + kind)
        for kind in (
            "sram_uncorrectable_parity",
            "sram_uncorrectable_secded",
            "sram_uncorrectable",
            "dram_uncorrectable",
        )
    )
    if since_boot:
        return check(name + ".ecc", BAD, f"{since_boot} uncorrectable errors since the driver was loaded")
    return check(name + ".ecc", OK, "no uncorrectable error since the driver was loaded")


def _judge_remaps(name: str, gpu) -> dict:
    rows = gpu.find("remapped_rows")
    if rows is None or not _text(rows, "remapped_row_failure"):
        if _text(gpu, "retired_pages/pending_retirement") == "Yes":
            return check(name + ".remaps", WARN, "pages wait to be retired: reboot when convenient")
        return check(name + ".remaps", UNKNOWN, "the driver does not say")
    if _text(rows, "remapped_row_failure") == "Yes":
        return check(
            name + ".remaps", BAD, "no spare row was left for a bad one: NVIDIA's ground for a return"
        )
    corrected, not_corrected = _number(rows, "remapped_row_corr"), _number(rows, "remapped_row_unc")
    if _text(rows, "remapped_row_pending") == "Yes":
        # NVML: contained and offlined already, so that work may go on until the reset.
        return check(name + ".remaps", WARN, "a remap is pending: reset the GPU when convenient")
    return check(name + ".remaps", OK, f"{corrected + not_corrected} rows remapped")


def _judge_fabric(name: str, gpu) -> dict:
    fabric = gpu.find("fabric")
    state = _text(fabric, "state") if fabric is not None else ""
    if not state:
        return check(name + ".fabric", UNKNOWN, "no NVSwitch fabric, or the driver does not say")
    status = _text(fabric, "status")
    if state != "Completed" or status not in ("", "Success"):
        told = f"{state} {status}"
        # Fabric Manager needs a minute after the boot; a GPU must not be given work before.
        return check(name + ".fabric", BAD, f"not registered: {told.strip()}; does the Fabric Manager run?")
    wrong = [
        what
        for what in ("route_unhealthy", "access_timeout_recovery")
        if _text(fabric, "health/" + what) == "True"
    ]
    if _text(fabric, "health/bandwidth") == "Degraded":
        wrong.append("degraded bandwidth")
    if wrong:
        return check(name + ".fabric", BAD, ", ".join(what.replace("_", " ") for what in wrong))
    if _text(fabric, "health/route_recovery_in_progress") == "True":
        return check(name + ".fabric", WARN, "routes are being recovered")
    return check(name + ".fabric", OK, "registered")


def _judge_slowdown(name: str, gpu) -> dict:
    reasons = gpu.find("clocks_event_reasons")
    prefix = "clocks_event_reason_"
    if reasons is None:  # as drivers before 535 call them
        reasons, prefix = gpu.find("clocks_throttle_reasons"), "clocks_throttle_reason_"
    temperature = _text(gpu, "temperature/gpu_temp") or "unknown temperature"
    if reasons is None:
        return check(name + ".clocks", UNKNOWN, temperature)
    wrong = [
        what.replace("_", " ")
        for what in ("hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown")
        if _text(reasons, prefix + what) == "Active"
    ]
    if wrong:
        return check(name + ".clocks", WARN, f"{', '.join(wrong)} at {temperature}")
    return check(name + ".clocks", OK, temperature)


def _judge_pcie(name: str, gpu) -> dict:
    # Widths only: the generation of an idle link is lowered to save power.
    widths = "pci/pci_gpu_link_info/link_widths/"
    now, most = _number(gpu, widths + "current_link_width"), _number(gpu, widths + "max_link_width")
    if not now or not most:
        return check(name + ".pcie", UNKNOWN, "the driver does not say")
    return check(name + ".pcie", WARN if now < most else OK, f"{now} of {most} lanes")


_EACH = (_judge_action, _judge_ecc, _judge_remaps, _judge_fabric, _judge_slowdown, _judge_pcie)


def _judge_processes(gpus: list, want: dict) -> dict:
    running = [
        f"{_text(process, 'process_name') or '?'} (pid {_text(process, 'pid')})"
        for gpu in gpus
        for process in gpu.findall("processes/process_info")
        if "C" in _text(process, "type")
    ]
    told = "none" if not running else f"{len(running)}: {', '.join(sorted(set(running))[:5])}"
    return check("gpu_processes", WARN if running and want.get("idle") else OK, told)


def _judge_nvlinks(raw: dict) -> dict:
    links = raw["commands"].get("nvlink") or {"rc": None, "out": ""}
    active = len(re.findall(r"Link \d+: [\d.]+ GB/s", links["out"]))
    inactive = len(re.findall(r"Link \d+: <inactive>", links["out"]))
    if links["rc"] != 0 or not active + inactive:
        return check("nvlink", UNKNOWN, "no NVLink, or nvidia-smi does not say")
    if inactive and active:
        return check("nvlink", BAD, f"{inactive} of {active + inactive} links are inactive")
    if inactive:
        return check("nvlink", WARN, f"all {inactive} links are inactive: is there a bridge or a switch?")
    return check("nvlink", OK, f"{active} links are active")


def judge_xids(raw: dict) -> list:
    """One check per kind of Xid that the kernel logged in the last hour, or one that there was none."""
    log = raw["commands"].get("kernel_log") or {"rc": None, "out": ""}
    if log["rc"] != 0:
        return [check("xids", UNKNOWN, "the kernel's log cannot be read")]
    seen = {}
    for bus, number in _XID.findall(log["out"]):
        seen.setdefault(int(number), set()).add(bus)
    if not seen:
        return [check("xids", OK, "none in the last hour")]
    checks = []
    for number, buses in sorted(seen.items()):
        state, words = _XIDS.get(number, (WARN, "see NVIDIA's catalogue"))
        checks.append(check(f"xid{number}", state, f"{words}, at {', '.join(sorted(buses))}"))
    return checks
