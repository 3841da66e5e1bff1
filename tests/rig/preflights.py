"""Asking preflight checks in a test, one by one, in this thread."""

from __future__ import annotations

from collections.abc import Iterable

from relight.errors import RelightError
from relight.situation import PreflightCheck


def outcomes(checks: Iterable[PreflightCheck]) -> dict[str, str]:
    """What each check says: what was seen, or "!" and why it failed."""
    said: dict[str, str] = {}
    for check in checks:
        assert check.things, f"{check.name} is about nothing, so no plan would ever need it"
        assert check.name not in said, f"two checks are called {check.name!r}"
        said[check.name] = _asked(check)
    return said


def _asked(check: PreflightCheck) -> str:
    try:
        return check.ask()
    except RelightError as raised:
        error = raised
    assert error.remedy, f"{check.name} fails without saying what to do: {error.what}"
    return f"! {error.what}"


def failing(checks: Iterable[PreflightCheck]) -> dict[str, str]:
    """Those that fail, and why."""
    return {name: said for name, said in outcomes(checks).items() if said.startswith("!")}
