"""What is observed, at one `now`: each value is known, or unknown for a reason.

A survey in a disaster asks everything in parallel under one deadline and takes what it gets; what it did
not get is an `Unknown`, never a default.
"""

from relight.situation.model import (
    Authority,
    DnsSituation,
    Intent,
    PointSummary,
    SiteSituation,
    Situation,
    WorkloadSituation,
    quiet_pools,
)
from relight.situation.preflight import PreflightCheck
from relight.situation.surveyor import Probe, Surveyor
from relight.situation.values import Known, Observed, Unknown
from relight.situation.verdict import Opinion, Verdict, conclude

__all__ = [
    "Authority",
    "DnsSituation",
    "Intent",
    "Known",
    "Observed",
    "Opinion",
    "PointSummary",
    "PreflightCheck",
    "Probe",
    "SiteSituation",
    "Situation",
    "Surveyor",
    "Unknown",
    "Verdict",
    "WorkloadSituation",
    "conclude",
    "quiet_pools",
]
