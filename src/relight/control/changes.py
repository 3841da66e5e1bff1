"""What has changed between rounds of preflight: what began to fail, and what works again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from relight.canonical import Frozen
from relight.control.preflight import CheckResult, Preflight
from relight.errors import RelightError

ChangeWord = Literal["began to fail", "works again", "is not tried any more"]

_ROUND = "preflight itself"


class Change(Frozen):
    """One check that is not as it was."""

    at: datetime
    word: ChangeWord
    check: CheckResult

    @property
    def is_worse(self) -> bool:
        """Whether it is bad news."""
        return self.word == "began to fail"


class Changes:
    """Looks round by round, and remembers what failed before; a round that breaks is a failure itself."""

    def __init__(self, look: Callable[[], Preflight]) -> None:
        self._look = look
        self._failing: dict[str, CheckResult] = {}

    def next(self) -> tuple[Change, ...]:
        """The changes since the last round; before the first, everything worked.

        Bad news is looked at twice, so that one lost packet wakes nobody.
        """
        changes = self._round()
        if any(change.is_worse for change in changes):
            changes = self._round()
        failing = {**self._failing, **{c.check.name: c.check for c in changes}}
        self._failing = {name: check for name, check in failing.items() if not self._is_over(name, changes)}
        return changes

    @staticmethod
    def _is_over(name: str, changes: tuple[Change, ...]) -> bool:
        return any(change.check.name == name and not change.is_worse for change in changes)

    def _round(self) -> tuple[Change, ...]:
        at = datetime.now(UTC)
        try:
            preflight = self._look()
        except Exception as error:  # noqa: BLE001 (whoever keeps watch must survive what it meets)
            is_ours = isinstance(error, RelightError)
            reason = "; ".join(str(error).split("\n")) if is_ours else f"{type(error).__name__}: {error}"
            broken = CheckResult(name=_ROUND, status="failed", reason=reason, milliseconds=0)
            return () if _ROUND in self._failing else (Change(at=at, word="began to fail", check=broken),)
        works = CheckResult(name=_ROUND, status="passed", milliseconds=0)
        checks = {_ROUND: works} | {check.name: check for check in preflight.checks}
        return tuple(self._changed(preflight.at, checks))

    def _changed(self, at: datetime, checks: dict[str, CheckResult]) -> list[Change]:
        changes = []
        for name, check in checks.items():
            if check.is_passed and name in self._failing:
                changes.append(Change(at=at, word="works again", check=check))
            elif not check.is_passed and name not in self._failing:
                changes.append(Change(at=at, word="began to fail", check=check))
        gone = [check for name, check in self._failing.items() if name not in checks]
        return changes + [Change(at=at, word="is not tried any more", check=check) for check in gone]
