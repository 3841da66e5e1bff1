"""What runs at a site: started, drained, stopped and watched through the site's scheduler."""

from relight.workload.port import Running, Scheduler
from relight.workload.steps import (
    Drain,
    Drained,
    MadeRoom,
    MakeRoom,
    Start,
    Started,
    Stop,
    TrainingResumed,
    VerifyTraining,
)

__all__ = [
    "Drain",
    "Drained",
    "MadeRoom",
    "MakeRoom",
    "Running",
    "Scheduler",
    "Start",
    "Started",
    "Stop",
    "TrainingResumed",
    "VerifyTraining",
]
