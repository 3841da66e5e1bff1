"""Stacks: what provisions the standby sites, and the knob that is turned in an incident.

An update of Pulumi's engine is a detached process of the step (`work.py`); the handler starts it, tells how
far it has come, and judges its end. What was cut off in mid-create is looked up in the cloud before anything
is created again.
"""

from relight.provision.declared import PROJECT_FILE, check_project_file, require_own_project
from relight.provision.drift import drift_of, sort_drift
from relight.provision.engines import cloud_of, engine_of, stack_names
from relight.provision.port import (
    Approved,
    Capacity,
    Change,
    Cloud,
    Deviates,
    Drift,
    Engine,
    Finder,
    Free,
    Intents,
    Interrupted,
    Lock,
    Locked,
    LockUnknown,
    PendingCreate,
    PoolSizes,
    Preview,
    Stacks,
    Update,
    UpdateFailed,
)
from relight.provision.sizes import annotate_sizes
from relight.provision.spreading import rooms_of, spread
from relight.provision.steps import (
    CapacityCheck,
    CapacityFacts,
    RungCapacity,
    ScalePool,
    ScalePoolFacts,
    StackDrift,
    StackDriftFacts,
    StackUp,
    StackUpFacts,
)
from relight.provision.wording import describe, describe_preview

__all__ = [
    "PROJECT_FILE",
    "Approved",
    "Capacity",
    "CapacityCheck",
    "CapacityFacts",
    "Change",
    "Cloud",
    "Deviates",
    "Drift",
    "Engine",
    "Finder",
    "Free",
    "Intents",
    "Interrupted",
    "Lock",
    "LockUnknown",
    "Locked",
    "PendingCreate",
    "PoolSizes",
    "Preview",
    "RungCapacity",
    "ScalePool",
    "ScalePoolFacts",
    "StackDrift",
    "StackDriftFacts",
    "StackUp",
    "StackUpFacts",
    "Stacks",
    "Update",
    "UpdateFailed",
    "annotate_sizes",
    "check_project_file",
    "cloud_of",
    "describe",
    "describe_preview",
    "drift_of",
    "engine_of",
    "require_own_project",
    "rooms_of",
    "sort_drift",
    "spread",
    "stack_names",
]
