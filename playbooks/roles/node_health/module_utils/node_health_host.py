"""Judges a node apart from its GPUs, from what its kernel and tools say. Pure; runs from Python 3.8 on.

Thresholds stand beside what they judge; those of a site are parameters (see defaults/main.yml).
"""

from __future__ import annotations

import json
import re

OK, WARN, BAD, UNKNOWN = "ok", "warn", "bad", "unknown"
_REAL_FILE_SYSTEMS = ("ext4", "xfs", "btrfs", "zfs", "ext3", "lustre", "nfs", "nfs4", "gpfs", "beegfs", "wekafs")
_ROUNDED = 3600 * 24


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
    """healthy, degraded (something wants a look) or unfit (give it no work); unknown things change nothing."""
    states = {one["state"] for one in checks}
    return "unfit" if BAD in states else "degraded" if WARN in states else "healthy"


def check(name: str, state: str, reason: str) -> dict:
    """One judged thing."""
    return {"check": name, "state": state, "reason": reason}


def _judge_uptime(raw: dict, want: dict) -> dict:
    seconds = raw.get("uptime_seconds")
    if seconds is None:
        return check("uptime", UNKNOWN, "/proc/uptime cannot be read")
    days, rest = divmod(int(seconds), _ROUNDED)
    told = "up %d days %02d:%02d, kernel %s" % (days, rest // 3600, rest // 60 % 60, raw.get("kernel", "unknown"))
    wanted = str(want.get("kernel") or "")
    if wanted and not str(raw.get("kernel", "")).startswith(wanted):
        return check("uptime", BAD, "%s; wanted: %s" % (told, wanted))
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
        return check("clock", state, "%.6f s off, by chrony" % seconds)
    timed = raw["commands"].get("timedatectl") or {"rc": None, "out": ""}
    if timed["rc"] == 0 and "NTPSynchronized=" in timed["out"]:
        synchronised = "NTPSynchronized=yes" in timed["out"]
        return check("clock", OK if synchronised else WARN, "%ssynchronised" % ("" if synchronised else "not "))
    return check("clock", UNKNOWN, "neither chrony nor systemd says")


def _judge_memory(raw: dict, want: dict) -> list:
    gib = raw.get("memory_gib")
    checks = []
    if gib is not None:
        least = want.get("memory_gib")
        missing = bool(least) and gib < least
        told = "%d GiB%s" % (gib, "; wanted: %d" % least if missing else "")
        checks.append(check("memory", BAD if missing else OK, told))  # a DIMM that is gone is seen here
    controllers = raw.get("edac") or []
    if not controllers:
        return [*checks, check("memory.ecc", UNKNOWN, "no memory controller reports (EDAC)")]
    wrong = sum(one["ue"] for one in controllers)
    corrected = sum(one["ce"] for one in controllers)
    if wrong:
        return [*checks, check("memory.ecc", BAD, "%d uncorrected errors since the boot" % wrong)]
    state = WARN if corrected > want["corrected_errors"] else OK
    return [*checks, check("memory.ecc", state, "%d corrected errors since the boot" % corrected)]


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
        spare, least = nvme.get("available_spare"), nvme.get("available_spare_threshold")
        if passed is False or nvme.get("critical_warning"):
            checks.append(check("disk." + name, BAD, "it says itself that it fails"))
        elif spare is not None and least is not None and spare < least:
            checks.append(check("disk." + name, BAD, "%d %% spare is left" % spare))
        elif (nvme.get("percentage_used") or 0) >= 100 or (nvme.get("media_errors") or 0) > 0:
            told = "%s %% worn, %s media errors" % (nvme.get("percentage_used"), nvme.get("media_errors"))
            checks.append(check("disk." + name, WARN, told))
        elif passed is None:
            checks.append(check("disk." + name, UNKNOWN, "it does not answer to SMART"))
        else:
            checks.append(check("disk." + name, OK, "it passes its own check"))
    return checks or [check("disks", UNKNOWN, "no smartctl, or no disk that it knows")]


def _judge_arrays(raw: dict) -> dict:
    arrays = re.findall(r"^(md\d+) : (.*)\n.*\[([U_]+)\]", raw.get("mdstat") or "", re.MULTILINE)
    broken = [name for name, _, members in arrays if "_" in members]
    if broken:
        return check("raid", WARN, "without a member: %s" % ", ".join(broken))
    return check("raid", OK, "%d arrays, all whole" % len(arrays) if arrays else "no software RAID")


def _judge_mounts(raw: dict, want: dict) -> list:
    checks = []
    mounts = {one["at"]: one for one in raw.get("mounts") or []}
    for at in want.get("mounts") or []:
        if at not in mounts:
            checks.append(check("mount." + at, BAD, "is not mounted"))
    for at, one in sorted(mounts.items()):
        if one["type"] not in _REAL_FILE_SYSTEMS:
            continue
        free = one.get("free_percent")
        # ext4 and xfs are put to read-only by the kernel when they find errors.
        if "ro" in one["options"].split(",") and at in ("/", "/var", "/home", *(want.get("mounts") or ())):
            checks.append(check("mount." + at, BAD, "is read-only"))
        elif free is None:
            checks.append(check("mount." + at, BAD, "does not answer"))
        else:
            state = BAD if free < want["free_bad"] else WARN if free < want["free_warn"] else OK
            checks.append(check("mount." + at, state, "%.0f %% free" % free))
    return checks or [check("mounts", UNKNOWN, "/proc/mounts cannot be read")]


def _judge_links(raw: dict, want: dict) -> list:
    links = {one["name"]: one for one in raw.get("links") or []}
    checks = []
    for name, speed in sorted((want.get("links") or {}).items()):
        one = links.get(name)
        if one is None or one["state"] != "up":
            checks.append(check("link." + name, BAD, "is down" if one else "is not there"))
        elif one.get("speed") is not None and one["speed"] < speed:
            checks.append(check("link." + name, BAD, "%d of %d Mbit/s" % (one["speed"], speed)))
    for name, one in sorted(links.items()):
        if one["state"] == "up" and not any(done["check"] == "link." + name for done in checks):
            # One change is the boot's; a cable that comes and goes has hundreds.
            flaps = one.get("changes") or 0
            told = "%s Mbit/s, %d changes since the boot" % (one.get("speed", "unknown"), flaps)
            checks.append(check("link." + name, WARN if flaps > want["link_changes"] else OK, told))
    return checks or [check("links", UNKNOWN, "no network card that is up")]


def _judge_infiniband(raw: dict, want: dict) -> list:
    ports = raw.get("infiniband") or []
    active = [one for one in ports if one["state"].endswith("ACTIVE")]
    wanted = want.get("infiniband")
    if wanted is not None and len(active) < wanted:
        down = ["%s (%s)" % (one["name"], one["state"]) for one in ports if one not in active]
        told = "%d of %d ports are active; %s" % (len(active), wanted, ", ".join(down) or "no others are there")
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
        told = "%s, %s, went down %d times" % (one["state"], one["rate"], one.get("link_downed", 0))
        checks.append(check("infiniband." + one["name"], state, told))
    return checks or [check("infiniband", OK, "no port is in use")]
