"""Asking many things at once, under one deadline, and taking what comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from relight.units import Duration

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True)
class Answered(Generic[T]):
    """What a question came to: its value, or what it raised, and how long that took."""

    value: T | Exception
    seconds: float


def ask_all(questions: Mapping[K, Callable[[], T]], deadline: Duration, name: str) -> dict[K, Answered[T]]:
    """The answers that came within the deadline, in the order of the questions.

    Each question has a daemon thread called `name`: one that hangs is left behind when the deadline passes.
    """
    answers: SimpleQueue[tuple[K, Answered[T]]] = SimpleQueue()
    until = time.monotonic() + deadline.total_seconds()
    for key, question in questions.items():
        Thread(target=_ask, args=(key, question, answers), name=name, daemon=True).start()
    came: dict[K, Answered[T]] = {}
    for _ in questions:
        try:
            key, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        came[key] = answer
    return {key: came[key] for key in questions if key in came}


def _ask(key: K, question: Callable[[], T], answers: SimpleQueue[tuple[K, Answered[T]]]) -> None:
    began = time.monotonic()
    value: T | Exception
    try:
        value = question()
    except Exception as error:  # noqa: BLE001 (one broken question must not cost the others)
        value = error
    answers.put((key, Answered(value, time.monotonic() - began)))
