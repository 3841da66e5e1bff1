"""GPU machine types of the clouds: what each has, as no provider checks before the cloud does.

From the clouds' own pages (AWS EC2 "Accelerated computing", Google Cloud "GPU machine types"), November 2026.
A type that is newer is used all the same where its pool says gpus_per_node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Machine:
    """A machine type: its GPUs, and the cards that its fabric runs over."""

    cloud: Literal["aws", "gcp"]
    gpu: str
    gpus: int
    fabric: int = 0  # EFA cards on AWS, GPU NICs on Google Cloud; 0: no fabric
    is_block: bool = False  # AWS sells it as a capacity block too
    fabric_from: int = 0  # the first card of the fabric; 1 where card 0 carries IP only


def _aws(gpu: str, gpus: int, efa: int = 0, *, block: bool = False, efa_from: int = 0) -> Machine:
    return Machine("aws", gpu, gpus, efa, block, efa_from)


def _gcp(gpu: str, gpus: int, nics: int = 0) -> Machine:
    return Machine("gcp", gpu, gpus, nics)


MACHINES: dict[str, Machine] = {
    "p4d.24xlarge": _aws("A100-40GB", 8, 4, block=True),
    "p4de.24xlarge": _aws("A100-80GB", 8, 4, block=True),
    "p5.4xlarge": _aws("H100", 1, 1, block=True),
    "p5.48xlarge": _aws("H100", 8, 32, block=True),
    "p5e.48xlarge": _aws("H200", 8, 32, block=True),
    "p5en.48xlarge": _aws("H200", 8, 16, block=True),
    "p6-b200.48xlarge": _aws("B200", 8, 8, block=True),
    "p6-b300.48xlarge": _aws("B300", 8, 16, block=True, efa_from=1),
    **{f"g5.{size}": _aws("A10G", 1) for size in ("xlarge", "2xlarge", "4xlarge")},
    "g5.8xlarge": _aws("A10G", 1, 1),
    "g5.16xlarge": _aws("A10G", 1, 1),
    "g5.12xlarge": _aws("A10G", 4, 1),
    "g5.24xlarge": _aws("A10G", 4, 1),
    "g5.48xlarge": _aws("A10G", 8, 1),
    **{f"g6.{size}": _aws("L4", 1) for size in ("xlarge", "2xlarge", "4xlarge")},
    "g6.8xlarge": _aws("L4", 1, 1),
    "g6.16xlarge": _aws("L4", 1, 1),
    "g6.12xlarge": _aws("L4", 4, 1),
    "g6.24xlarge": _aws("L4", 4, 1),
    "g6.48xlarge": _aws("L4", 8, 1),
    **{f"g6e.{size}": _aws("L40S", 1) for size in ("xlarge", "2xlarge", "4xlarge")},
    "g6e.8xlarge": _aws("L40S", 1, 1),
    "g6e.16xlarge": _aws("L40S", 1, 1),
    "g6e.12xlarge": _aws("L40S", 4, 1),
    "g6e.24xlarge": _aws("L40S", 4, 2),
    "g6e.48xlarge": _aws("L40S", 8, 4),
    **{f"a2-highgpu-{n}g": _gcp("A100-40GB", n) for n in (1, 2, 4, 8)},
    "a2-megagpu-16g": _gcp("A100-40GB", 16),
    **{f"a2-ultragpu-{n}g": _gcp("A100-80GB", n) for n in (1, 2, 4, 8)},
    **{f"a3-highgpu-{n}g": _gcp("H100", n) for n in (1, 2, 4)},
    "a3-highgpu-8g": _gcp("H100", 8, 4),
    "a3-megagpu-8g": _gcp("H100", 8, 8),
    "a3-ultragpu-8g": _gcp("H200", 8, 8),
    "a4-highgpu-8g": _gcp("B200", 8, 8),
    "a4x-highgpu-4g": _gcp("GB200", 4, 4),
    **{
        f"g2-standard-{cpus}": _gcp("L4", gpus)
        for cpus, gpus in ((4, 1), (8, 1), (12, 1), (16, 1), (24, 2), (32, 1), (48, 4), (96, 8))
    },
}


def machine_of(name: str) -> Machine | None:
    """A machine type by its name; None: nothing is known of it."""
    return MACHINES.get(name)
