"""What somebody may have meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

_MOST_COMPARED = 20_000  # words in all: about half a second at worst
_LONGEST_COMPARED = 60  # characters: comparing costs the square of them
_MOST_LISTED = 12
_MOST_REMEMBERED = 50  # known words of a question whose answer is kept


class Spelling:
    """Suggests known words, until it has compared so many that a faulty file would take long to load."""

    def __init__(self) -> None:
        self._left = _MOST_COMPARED
        self._found: dict[tuple[str, ...], str | None] = {}

    def closest(self, word: str, known: Collection[str]) -> str | None:
        """The known word that looks most like this one; None where none does."""
        if len(word) > _LONGEST_COMPARED:
            return None
        if len(known) > _MOST_REMEMBERED:
            return self._compare(word, known)
        asked = (word, *known)  # the same slip is often made in every entry of a section
        if asked not in self._found:
            self._found[asked] = self._compare(word, known)
        return self._found[asked]

    def remedy(self, word: str, known: Collection[str], otherwise: str = "") -> str:
        """The sentence for a message: what was meant, else what there is, else `otherwise`."""
        meant = self.closest(word, known)
        if meant is not None:
            return f'did you mean "{meant}"?'
        if known and len(known) <= _MOST_LISTED:
            return ("one of " if len(known) > 1 else "there is only ") + ", ".join(known)
        return otherwise

    def _compare(self, word: str, known: Collection[str]) -> str | None:
        if len(known) > self._left:
            return None
        self._left -= len(known)
        # By lower case: "North" for "north" is the most usual slip, and half of the letters of "S3" differ.
        by_lower = {name.lower(): name for name in sorted(known, reverse=True)}
        found = get_close_matches(word.lower(), by_lower, n=1)
        return by_lower[found[0]] if found else None
