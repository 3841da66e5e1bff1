"""Judges a node apart from its GPUs, from what its kernel and tools say. Pure; runs from Python 3.8 on.

Thresholds stand beside what they judge; those of a site are parameters (see defaults/main.yml).
"""

from __future__ import annotations

import json
import re

OK, WARN, BAD, UNKNOWN = "ok", "warn", "bad", "unknown"
_REAL_FILE_SYSTEMS = (
    "ext4",
    "xfs",
    "btrfs",
    "zfs",
    "ext3",
    "lustre",
    "nfs",
    "nfs4",
    "gpfs",
    "beegfs",
    "wekafs",
)
_DAY_SECONDS = 86_400


def judge_host(raw: dict, want: dict) -> list:
    """Every check of the machine: `raw` as the module gathers it, `want` its parameters."""
    return [
        _judge_uptime(raw, want),
        _judge_clock(raw, want),
        *_judge_memory(raw, want),
        *_judge_disks(raw),
        _judge_arrays(raw),
        *_judge_mounts(raw, want),
        *_judge_links(raw, want),
        *_judge_infiniband(raw, want),
    ]


def verdict_of(checks: list) -> str:
    """healthy, degraded (wants a look) or unfit (give it no work); what is unknown changes nothing."""
    states = {one["state"] for one in checks}
    return "unfit" if BAD in states else "degraded" if WARN in states else "healthy"


def check(name: str, state: str, reason: str) -> dict:
    """One judged thing."""
    return {"check": name, "state": state, "reason": reason}


def _judge_uptime(raw: dict, want: dict) -> dict:
    seconds = raw.get("uptime_seconds")
    if seconds is None:
        return check("uptime", UNKNOWN, "/proc/uptime cannot be read")
    days, rest = divmod(int(seconds), _DAY_SECONDS)
    told = f"up {days} days {rest // 3600:02d}:{rest // 60 % 60:02d}, kernel {raw.get('kernel', 'unknown')}"
    wanted = str(want.get("kernel") or "")
    if wanted and not str(raw.get("kernel", "")).startswith(wanted):
        return check("uptime", BAD, f"{told}; wanted: {wanted}")
    return check("uptime", OK, told)


def _judge_clock(raw: dict, want: dict) -> dict:
    """A clock that is off breaks leases, TLS and Kerberos (RFC 4120 suggests five minutes)."""
    chrony = raw["commands"].get("chrony") or {"rc": None, "out": ""}
    if chrony["rc"] == 0:
        offset = re.search(r"System time\s*:\s*([\d.]+) seconds", chrony["out"])
        if "Not synchronised" in chrony["out"] or offset is None:
            return check("clock", WARN, "chrony is not synchronised")
        seconds = float(offset.group(1))
        state = BAD if seconds > want["clock_bad"] else WARN if seconds > want["clock_warn"] else OK
        return check("clock", state, f"{seconds:.6f} s off, by chrony")
    timed = raw["commands"].get("timedatectl") or {"rc": None, "out": ""}
    if timed["rc"] == 0 and "NTPSynchronized=" in timed["out"]:
        synchronised = "NTPSynchronized=yes" in timed["out"]
        return check("clock", OK if synchronised else WARN, f"{'' if synchronised else 'not '}synchronised")
    return check("clock", UNKNOWN, "neither chrony nor systemd says")


def _judge_memory(raw: dict, want: dict) -> list:
    gib = raw.get("memory_gib")
    checks = []
    if gib is not None:
        least = want.get("memory_gib")
        missing = bool(least) and gib < least
        told = f"{gib} GiB" + (f"; wanted: {least}" if missing else "")
        checks.append(check("memory", BAD if missing else OK, told))  # a DIMM that is gone is seen here
    controllers = raw.get("edac") or []
    if not controllers:
        return [*checks, check("memory.ecc", UNKNOWN, "no memory controller reports (EDAC)")]
    wrong = sum(one["ue"] for one in controllers)
    corrected = sum(one["ce"] for one in controllers)
    if wrong:
        return [*checks, check("memory.ecc", BAD, f"{wrong} uncorrected errors since the boot")]
    state = WARN if corrected > want["corrected_errors"] else OK
    return [*checks, check("memory.ecc", state, f"{corrected} corrected errors since the boot")]


def _judge_disks(raw: dict) -> list:
    """SMART's own verdict, and for NVMe the critical warning and the spare (NVM Express, log page 02h)."""
    checks = []
    for name, answer in sorted((raw.get("smart") or {}).items()):
        try:
            said = json.loads(answer["out"])
        except ValueError:
            said = {}
        passed = (said.get("smart_status") or {}).get("passed")
        nvme = said.get("nvme_smart_health_information_log") or {}
        worn, errors = nvme.get("percentage_used") or 0, nvme.get("media_errors") or 0
        spare, least = nvme.get("available_spare"), nvme.get("available_spare_threshold")
        if passed is False or nvme.get("critical_warning"):
            checks.append(check("disk." + name, BAD, "it says itself that it fails"))
        elif spare is not None and least is not None and spare < least:
            checks.append(check("disk." + name, BAD, f"{spare} % spare is left"))
        elif worn >= 100 or errors > 0:
            checks.append(check("disk." + name, WARN, f"{worn} % worn, {errors} media errors"))
        elif passed is None:
            checks.append(check("disk." + name, UNKNOWN, "it does not answer to SMART"))
        else:
            checks.append(check("disk." + name, OK, "it passes its own check"))
    return checks or [check("disks", UNKNOWN, "no smartctl, or no disk that it knows")]


def _judge_arrays(raw: dict) -> dict:
    arrays = re.findall(r"^(md\d+) : (.*)\n.*\[([U_]+)\]", raw.get("mdstat") or "", re.MULTILINE)
    broken = [name for name, _, members in arrays if "_" in members]
    if broken:
        return check("raid", WARN, f"without a member: {', '.join(broken)}")
    return check("raid", OK, f"{len(arrays)} arrays, all whole" if arrays else "no software RAID")


def _judge_mounts(raw: dict, want: dict) -> list:
    checks = []
    mounts = {one["at"]: one for one in raw.get("mounts") or []}
    wanted = want.get("mounts") or []
    checks.extend(check("mount." + at, BAD, "is not mounted") for at in wanted if at not in mounts)
    told_of = set()
    for at, one in sorted(mounts.items()):
        if one["type"] not in _REAL_FILE_SYSTEMS or (one["device"] in told_of and at not in wanted):
            continue
        told_of.add(one["device"])  # the same again at another place says nothing new
        free = one.get("free_percent")
        # ext4 and xfs are put to read-only by the kernel when they find errors.
        if "ro" in one["options"].split(",") and at in ("/", "/var", "/home", *wanted):
            checks.append(check("mount." + at, BAD, "is read-only"))
        elif free is None:
            checks.append(check("mount." + at, BAD, "does not answer"))
        else:
            state = BAD if free < want["free_bad"] else WARN if free < want["free_warn"] else OK
            checks.append(check("mount." + at, state, f"{free:.0f} % free"))
    return checks or [check("mounts", UNKNOWN, "/proc/mounts cannot be read")]


def _judge_links(raw: dict, want: dict) -> list:
    links = {one["name"]: one for one in raw.get("links") or []}
    checks = []
    for name, speed in sorted((want.get("links") or {}).items()):
        one = links.get(name)
        if one is None or one["state"] != "up":
            checks.append(check("link." + name, BAD, "is down" if one else "is not there"))
        elif one.get("speed") is not None and one["speed"] < speed:
            checks.append(check("link." + name, BAD, f"{one['speed']} of {speed} Mbit/s"))
    for name, one in sorted(links.items()):
        if one["state"] == "up" and not any(done["check"] == "link." + name for done in checks):
            # One change is the boot's; a cable that comes and goes has hundreds.
            flaps = one.get("changes") or 0
            told = f"{one['speed'] or 'unknown'} Mbit/s, {flaps} changes since the boot"
            checks.append(check("link." + name, WARN if flaps > want["link_changes"] else OK, told))
    return checks or [check("links", UNKNOWN, "no network card that is up")]


def _judge_infiniband(raw: dict, want: dict) -> list:
    ports = raw.get("infiniband") or []
    active = [one for one in ports if one["state"].endswith("ACTIVE")]
    wanted = want.get("infiniband")
    if wanted is not None and len(active) < wanted:
        down = [f"{one['name']} ({one['state']})" for one in ports if one not in active]
        told = f"{len(active)} of {wanted} ports are active; {', '.join(down) or 'no others are there'}"
        return [check("infiniband", BAD, told)]
    if not ports:
        return [check("infiniband", UNKNOWN, "no InfiniBand or RoCE device")]
    checks = []
    for one in ports:
        # INIT: the cable is good, and no subnet manager has come by.
        state = OK if one in active else WARN
        if one["layer"] == "Ethernet" and one not in active:
            continue  # a RoCE port that is down is a link that is down
        if one in active and one.get("link_downed", 0) > want["link_changes"]:
            state = WARN
        told = f"{one['state']}, {one['rate']}, went down {one.get('link_downed', 0)} times"
        checks.append(check("infiniband." + one["name"], state, told))
    return checks or [check("infiniband", OK, "no port is in use")]
