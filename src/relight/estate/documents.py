"""YAML as plain data, with the place of every key and value.

Scalars mean what they look like: `true`, `false`, `null` and plain decimal numbers are values, everything
else is text (YAML 1.1 would read `on`, `0123`, `12:30` and `2026-11-21` as something else). Text is read
event by event, never recursively, and what aliases stand for is counted before it is unfolded, so that no
file costs more than its size allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isinf
from typing import Any, TypeAlias

import yaml

from relight.errors import Place, Reason

Scalar: TypeAlias = str | int | float | bool | None

_DEEPEST = 32  # levels; an estate needs seven
_MOST_NODES = 500_000  # after aliases are unfolded; an estate of 2,000 workloads has 50,000
_TEXT_PER_NODE = 64  # characters that weigh as much as a node of their own
_LONGEST_NUMBER = 40  # characters; longer ones are text
_LONGEST_SHOWN = 60  # characters of the file that a message repeats

_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_LEADING_ZEROS = re.compile(r"[-+]?0[0-9]+")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"

_SYNTAX = {  # libyaml's words, and what helps
    "mapping values are not allowed in this context": 'quote text that holds ": ", and check the indentation',
    "found character that cannot start any token": "indent with spaces, not tabs; quote text that begins "
    "with @, `, % or |",
    "did not find expected key": "check the indentation of this line and the one above, and the brackets",
    "did not find expected '-' indicator": "check the indentation: this line is not part of the list above",
    "could not find expected ':'": 'write "key: value"; check the line above',
    "found unexpected end of stream": "close the quotes",
    "did not find expected node content": "close the brackets",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the mapping with }",
    "found unknown escape character": "write \\\\ for a backslash, or use '…' instead of \"…\"",
}


def dotted(parts: Iterable[str | int]) -> str:
    """A path as people read it: "workloads.digits.objective.rpo", very long keys cut short."""
    return ".".join(shortened(str(part)) for part in parts)


def shortened(text: str) -> str:
    """Text that fits in a message."""
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


class Node:
    """A value with its place. `children` are the nodes below a mapping or list, `keys` places of keys."""

    __slots__ = ("children", "column", "data", "keys", "line", "weight")

    def __init__(self, data: Any, line: int, column: int) -> None:
        self.data = data
        self.line = line
        self.column = column
        self.weight = 1
        self.children: dict[str, Node] | list[Node] | None = None
        self.keys: dict[str, tuple[int, int]] = {}

    def child(self, part: str | int) -> Node | None:
        """The node below under a key or an index; None where there is none."""
        if isinstance(self.children, dict):
            return self.children.get(part) if isinstance(part, str) else None
        if isinstance(self.children, list) and isinstance(part, int) and 0 <= part < len(self.children):
            return self.children[part]
        return None


class Places:
    """Where in a file each part of a document stands."""

    def __init__(self, file: str, root: Node) -> None:
        self.root = root
        self._file = file

    def place(self, path: str) -> Place:
        """Where "workloads.digits.runs_on" stands; what was left out: where it would belong."""
        return self.at(path.split(".") if path else ())

    def at(self, parts: Iterable[str | int]) -> Place:
        """`place`, for a path in parts. What has parts of its own is found at its key, not a line below."""
        node, line, column = self.root, self.root.line, self.root.column
        for part in parts:
            is_index = isinstance(node.children, list) and isinstance(part, str) and part.isdecimal()
            child = node.child(int(part) if is_index else part)
            if child is None:
                break
            key = node.keys.get(str(part)) if child.children is not None else None
            line, column = key or (child.line, child.column)
            node = child
        return Place(self._file, line + 1, column + 1)

    def key_at(self, parts: Sequence[str | int]) -> Place:
        """Where the key stands that is last in a path."""
        node: Node | None = self.root
        for part in parts[:-1]:
            node = node.child(part) if node else None
        key = node.keys.get(str(parts[-1])) if node and parts else None
        return Place(self._file, key[0] + 1, key[1] + 1) if key else self.at(parts)

    def value_at(self, parts: Iterable[str | int]) -> Any:
        """The plain data under a path; None where there is none."""
        node: Node | None = self.root
        for part in parts:
            node = node.child(part) if node else None
        return node.data if node else None


@dataclass
class _Open:
    """A mapping or list that has not ended yet; `key` is the key whose value comes next."""

    node: Node
    anchor: str | None
    key: Node | None = None


class _UnusableError(Exception):
    """The document cannot be read any further."""


def read_document(text: str, file: str) -> tuple[Node | None, list[Reason]]:
    """The one document in `text`, and every fault of its form; None where nothing can be made of it."""
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            reader.take(event)
    except _UnusableError:
        return None, reader.reasons
    except yaml.MarkedYAMLError as error:
        reader.report(*_explain(error))
        return None, reader.reasons
    except yaml.YAMLError as error:
        reader.report(str(error).splitlines()[0], "", 0, 0)
        return None, reader.reasons
    return reader.root, reader.reasons


def _explain(error: yaml.MarkedYAMLError) -> tuple[str, str, int, int]:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "not YAML"
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return f"this is not YAML: {problem}", _SYNTAX.get(problem, ""), line, column


def _resolve(text: str) -> Scalar:
    """What an unquoted scalar means. Raise ValueError for a number that is not finite."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > _LONGEST_NUMBER or _LEADING_ZEROS.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(text)
    if not _FRACTION.fullmatch(text):
        return text
    number = float(text)
    if isinf(number):
        raise ValueError(text)
    return number


class _Reader:
    """Builds nodes out of events, with a stack of its own instead of recursion."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self.reasons: list[Reason] = []
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def report(self, what: str, remedy: str, line: int, column: int, path: str | None = None) -> None:
        """Note a fault at a place that counts from 0, as YAML's marks do."""
        at = self._path() if path is None else path
        self.reasons.append(Reason(what, remedy, Place(self._file, line + 1, column + 1), at))

    def take(self, event: Any) -> None:
        """Take the next event. Raise _UnusableError where nothing after it would make sense."""
        mark = event.start_mark
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._value(event), mark.line, mark.column)
            node.weight += len(event.value) // _TEXT_PER_NODE
            self._add(node, event.anchor)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            self._add(done.node, done.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._unfold(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self.report(
                    "a second document begins here", 'keep one, without "---"', mark.line, mark.column
                )
                raise _UnusableError

    def _begin(self, event: Any) -> None:
        mark, is_mapping = event.start_mark, isinstance(event, yaml.MappingStartEvent)
        if len(self._open) >= _DEEPEST:
            self.report(f"more than {_DEEPEST} levels deep", "an estate needs seven", mark.line, mark.column)
            raise _UnusableError
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            self.report("a tag that is not known", "leave the tag (!…) out", mark.line, mark.column)
        node = Node({} if is_mapping else [], mark.line, mark.column)
        node.children = {} if is_mapping else []
        if event.anchor is not None:
            self._anchors.pop(event.anchor, None)
        self._open.append(_Open(node, event.anchor))

    def _unfold(self, event: Any) -> None:
        mark, target = event.start_mark, self._anchors.get(event.anchor)
        if target is not None:
            # A node of its own, which shares what is below: its place is where the alias stands.
            node = Node(target.data, mark.line, mark.column)
            node.weight, node.children, node.keys = target.weight, target.children, target.keys
        else:
            inside = any(level.anchor == event.anchor for level in self._open)
            # The name is not repeated: an unquoted secret that begins with * looks like an alias.
            what = "an alias inside of what it stands for" if inside else "an alias that nothing is named for"
            remedy = "write it out" if inside else "name it with & above, or quote text that begins with *"
            self.report(what, remedy, mark.line, mark.column)
            node = Node(None, mark.line, mark.column)
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        """Put a whole node where it belongs: below what is open, or as the root."""
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.node.weight += node.weight
        if parent.node.weight > _MOST_NODES:
            self.report("aliases unfold to too much", "write it out, or write less", node.line, node.column)
            raise _UnusableError
        if isinstance(parent.node.children, list):
            parent.node.children.append(node)
            parent.node.data.append(node.data)
        elif parent.key is None:
            parent.key = node
        else:
            self._enter(parent.node, parent.key, node)
            parent.key = None

    def _enter(self, parent: Node, key: Node, value: Node) -> None:
        name, below = key.data, parent.children
        if not isinstance(name, str):
            self.report("a key must be text", "put it in quotes", key.line, key.column)
        elif name == "<<":
            self.report("merging with << is not read", "write the keys out", key.line, key.column)
        elif name in parent.keys:
            first = parent.keys[name][0] + 1
            self.report("stands here twice", f"keep one; the first is in line {first}", key.line, key.column)
        elif isinstance(below, dict):
            below[name] = value
            parent.data[name] = value.data
            parent.keys[name] = (key.line, key.column)

    def _path(self) -> str:
        """The dotted path of what comes next, as far as keys are text."""
        parts: list[str | int] = []
        for level in self._open:
            if isinstance(level.node.children, list):
                parts.append(len(level.node.children))
            elif level.key is not None and isinstance(level.key.data, str):
                parts.append(level.key.data)
            else:
                break
        return dotted(parts)

    def _value(self, event: Any) -> Scalar:
        text: str = event.value
        mark = event.start_mark
        if event.tag in ("!", _TAG + "str"):
            return text
        if event.tag is not None:
            remedy = "leave the tag out, or quote text that begins with !"
            self.report("a tag that is not known", remedy, mark.line, mark.column)
            return None
        if not event.implicit[0]:  # in quotes, or a block of text
            return text
        try:
            return _resolve(text)
        except ValueError:
            remedy = "write one, or quote it if it is text"
            self.report("not a finite number", remedy, mark.line, mark.column)
            return 0
