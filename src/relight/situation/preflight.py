"""The unit of preflight: one thing that plans rely on, tried before anybody needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class PreflightCheck:
    """One trial, made in a thread of its own; it leaves nothing behind.

    `name` says what holds if it passes, and is the same in every round. `things` are what it says something
    about, by the names that plans need them by: "store:south", "server:north", "scheduler:south". `ask`
    returns what was seen, for people and without secrets, or raises RelightError.
    """

    name: str
    things: tuple[str, ...]
    ask: Callable[[], str]
