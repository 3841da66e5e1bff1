#!/usr/bin/python
"""Ansible module: gathers a node's health, judges it, and changes nothing."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.node_health_gpus import inventory, judge_gpus
from ansible.module_utils.node_health_host import judge_host, verdict_of

DOCUMENTATION = """
module: node_health
short_description: A GPU node's health, gathered and judged
description:
  - Reads /proc and /sys, and asks nvidia-smi, chronyc, smartctl and the kernel's log, each with a time limit.
  - Changes nothing, so it runs in check mode as well. The result is the fact C(relight_report).
"""

TIMED_OUT = 124  # as timeout(1) has it
COMMANDS = {
    "nvidia_smi": ["nvidia-smi", "-q", "-x"],
    "nvlink": ["nvidia-smi", "nvlink", "-s"],
    "chrony": ["chronyc", "-n", "tracking"],
    "timedatectl": ["timedatectl", "show", "-p", "NTPSynchronized"],
    # The last hour; dmesg, which knows no hour of the day, where there is no journal.
    "kernel_log": [
        "journalctl",
        "--dmesg",
        "--since",
        "-1h",
        "--no-pager",
        "--output",
        "short-iso",
        "--quiet",
    ],
}
NVIDIA, DISPLAY_CLASSES = "0x10de", ("0x0300", "0x0302")


def run(command, seconds):
    """What a command says: its exit status (None: it is not there) and output."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        return {"rc": None, "out": ""}
    except subprocess.TimeoutExpired:
        return {"rc": TIMED_OUT, "out": f"no answer within {seconds} s"}
    except OSError as error:
        return {"rc": 126, "out": str(error)}
    return {"rc": done.returncode, "out": done.stdout.decode("utf-8", "replace")}


def read(path, otherwise=None):
    """A small file's text, or what is said otherwise."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return otherwise


def number(path):
    """A small file's number; None where there is none."""
    text = read(path, "")
    return int(text) if text.lstrip("-").isdigit() else None


def gather(seconds):
    """Everything at once, so that one command that hangs costs no more than its own time limit."""
    disks = [path.name for path in Path("/sys/block").glob("*") if (path / "device").exists()]
    mounted = [line.split(" ")[:4] for line in read("/proc/mounts", "").splitlines()]
    with ThreadPoolExecutor(16) as pool:

        def ask(*command):
            return pool.submit(run, command, seconds)

        said = {name: ask(*command) for name, command in COMMANDS.items()}
        smart = {name: ask("smartctl", "-j", "-H", "-A", "/dev/" + name) for name in disks}
        # A command, as a file system that is gone would hold a thread for ever.
        free = {at: ask("stat", "-f", "-c", "%a %b", at) for _, at, _, _ in mounted}
        commands = {name: future.result() for name, future in said.items()}
        if commands["kernel_log"]["rc"] != 0:
            commands["kernel_log"] = run(["dmesg"], seconds)
        answers = {name: future.result() for name, future in smart.items()}
        blocks = {at: future.result() for at, future in free.items()}
    return {
        **machine(),
        "commands": commands,
        "smart": {name: answer for name, answer in answers.items() if answer["rc"] is not None},
        "mounts": [
            {
                "device": device,
                "at": at,
                "type": kind,
                "options": options,
                "free_percent": percent(blocks[at]),
            }
            for device, at, kind, options in mounted
        ],
        "links": links(),
        "infiniband": infiniband(),
    }


def machine():
    """What /proc and /sys say at once."""
    memory = [
        line.split()[1] for line in read("/proc/meminfo", "").splitlines() if line.startswith("MemTotal:")
    ]
    uptime = read("/proc/uptime")
    cards = Path("/sys/bus/pci/devices").glob("*")
    return {
        "kernel": os.uname().release,
        "uptime_seconds": float(uptime.split()[0]) if uptime else None,
        "memory_gib": int(memory[0]) // 2**20 if memory else None,
        "edac": [
            {"ue": number(path / "ue_count") or 0, "ce": number(path / "ce_count") or 0}
            for path in Path("/sys/devices/system/edac/mc").glob("mc[0-9]*")
        ],
        "mdstat": read("/proc/mdstat", ""),
        "gpus_on_bus": sum(
            read(card / "vendor") == NVIDIA and read(card / "class", "")[:6] in DISPLAY_CLASSES
            for card in cards
        ),
    }


def percent(answer):
    """How much of a file system is free; None where it did not answer."""
    fields = answer["out"].split()
    if answer["rc"] != 0 or len(fields) != 2:
        return None
    return 100.0 * int(fields[0]) / max(1, int(fields[1]))


def links():
    """Network cards of this machine, not its bridges and tunnels."""
    found = []
    for path in Path("/sys/class/net").glob("*"):
        if (path / "device").exists():
            speed = number(path / "speed")
            found.append(
                {
                    "name": path.name,
                    "state": read(path / "operstate", "unknown"),
                    "speed": speed if speed and speed > 0 else None,  # -1: the driver does not know
                    "changes": number(path / "carrier_changes"),
                }
            )
    return found


def infiniband():
    """Ports of InfiniBand and RoCE devices."""
    return [
        {
            "name": f"{path.parent.parent.name}/{path.name}",
            "state": read(path / "state", "unknown"),
            "rate": read(path / "rate", "unknown rate"),
            "layer": read(path / "link_layer", "unknown"),
            "link_downed": number(path / "counters/link_downed") or 0,
        }
        for path in Path("/sys/class/infiniband").glob("*/ports/*")
    ]


def main():
    """Gather, judge, and hand the report over as a fact."""
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str", "required": True},
            "gpus": {"type": "int"},
            "driver": {"type": "str"},
            "kernel": {"type": "str"},
            "memory_gib": {"type": "int"},
            "mounts": {"type": "list", "elements": "str", "default": []},
            "links": {"type": "dict", "default": {}},
            "infiniband": {"type": "int"},
            "idle": {"type": "bool", "default": False},
            "clock_warn": {"type": "float", "required": True},
            "clock_bad": {"type": "float", "required": True},
            "corrected_errors": {"type": "int", "required": True},
            "free_warn": {"type": "float", "required": True},
            "free_bad": {"type": "float", "required": True},
            "link_changes": {"type": "int", "required": True},
            "seconds": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    want = module.params
    raw = gather(want["seconds"])
    checks = judge_host(raw, want) + judge_gpus(raw, want)
    report = {
        "node": want["node"],
        "verdict": verdict_of(checks),
        "checks": checks,
        "gpus": inventory(raw),
        "kernel": raw["kernel"],
    }
    wrong = [one for one in checks if one["state"] in ("bad", "warn")]
    told = "; ".join("{state}: {check}: {reason}".format(**one) for one in wrong)
    module.exit_json(
        changed=False,
        msg="{}{}".format(report["verdict"], ": " + told if told else ""),
        ansible_facts={"relight_report": report},
    )


if __name__ == "__main__":
    main()
