"""How times and amounts are said to people; machines get them whole, by --json."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from relight.plan import Estimate
from relight.units import format_duration


def brief(duration: timedelta | None) -> str:
    """A duration to the digit that matters: "30ms", "0.4s", "12s", "3m20s", "1h5m"; a dash for None."""
    if duration is None:
        return "-"
    seconds = duration.total_seconds()
    if 0 < seconds < 0.1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 59.5:
        return f"{seconds:.1f}s" if seconds < 9.95 else f"{seconds:.0f}s"
    grain = 1 if seconds < 3600 else 60
    return format_duration(timedelta(seconds=round(seconds / grain) * grain))


def expected(estimate: Estimate | None) -> str:
    """A forecast: "12s (P90 20s)", "at least 12s"; a dash for None."""
    if estimate is None:
        return "-"
    if estimate.at_least:
        return f"at least {brief(estimate.p50)}"
    return f"{brief(estimate.p50)} (P90 {brief(estimate.p90)})"


def instant(at: datetime | None) -> str:
    """A time in UTC, to the second."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """The time of day in UTC, for lines that stand below each other."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def lost_hours(hours: float | None) -> str:
    """GPU-hours, small ones too: "0.004 GPU-hours"."""
    if hours is None:
        return "-"
    shown = f"{hours:.3f}" if hours < 1 else f"{hours:,.1f}"
    return f"{shown} GPU-hours"


def count(number: int, one: str, many: str = "") -> str:
    """A number and its noun: "1 step", "3 steps"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
