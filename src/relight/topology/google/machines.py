"""What GPU machine types of Google Cloud want, as no provider checks before the cloud does.

From Google's pages "GPU machine types", "Accelerator-optimized machine family", "About Hyperdisk", "Compact
placement" and GKE's "GPUs in GKE", November 2026. Types that are newer get what their family is likely to
take.
"""

from __future__ import annotations

from relight.estate import machine_of

_GPUS = {
    "a2-highgpu": "nvidia-tesla-a100",
    "a2-megagpu": "nvidia-tesla-a100",
    "a2-ultragpu": "nvidia-a100-80gb",
    "a3-highgpu": "nvidia-h100-80gb",
    "a3-megagpu": "nvidia-h100-mega-80gb",
    "a3-ultragpu": "nvidia-h200-141gb",
    "a4-highgpu": "nvidia-b200",
    "a4x-highgpu": "nvidia-gb200",
    "g2-standard": "nvidia-l4",
}
_SCRATCH = {
    "a3-highgpu-1g": 2,
    "a3-highgpu-2g": 4,
    "a3-highgpu-4g": 8,
    "a3-highgpu-8g": 16,
    "a3-megagpu-8g": 16,
    "a3-ultragpu-8g": 32,
    "a4-highgpu-8g": 32,
    "a4x-highgpu-4g": 4,
}
_HYPERDISK = ("a3-ultragpu-", "a4-", "a4x-")


def gpu_name(machine: str) -> str | None:
    """What GKE calls the GPUs of a machine type; None: it is not known, and GKE chooses."""
    return _GPUS.get(machine.rpartition("-")[0])


def scratch_disks(machine: str) -> int:
    """How many local disks come with a machine type, for scratch data; 0: none, or nobody knows."""
    return _SCRATCH.get(machine, 0)


def boot_disk(machine: str) -> str:
    """The kind of a boot disk; machines on Titanium take Hyperdisk and no Persistent Disk."""
    return "hyperdisk-balanced" if machine.startswith(_HYPERDISK) else "pd-balanced"


def has_rdma(machine: str) -> bool:
    """Whether its GPU NICs speak RDMA over networks that GKE can lay by itself."""
    return machine.startswith(_HYPERDISK)


def is_compact(machine: str) -> bool:
    """Whether nodes belong close together: those with GPU NICs, whose families all take compact placement."""
    known = machine_of(machine)
    return known is not None and known.fabric > 0


def takes_fast_socket(machine: str) -> bool:
    """Whether NCCL Fast Socket helps: on A2; A3 and later have GPU NICs of their own."""
    return machine.startswith("a2-")
