"""YAML with the line of every key, so that an error can name it.

Here: YAML to plain values, and its own errors: broken YAML, keys that stand twice, more than a person writes. Not here:
what the values mean. Plain words are read as in YAML 1.2: ``no``, ``12:30``, ``2024-01-01`` and ``007`` are texts; a
number, ``true`` and ``false`` keep their spelling.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from heap_assets.schema.labeled import Scalar

KeyPath = tuple[str | int, ...]
LONGEST = 1 << 17
"""Letters of a file: PyYAML reads 50,000 in a second, and a thousand tables with limits of their own are 60,000."""
_LARGEST, _EACH = 1 << 21, 24
"""What aliases may blow a file up to: letters, and what each value counts besides. Without aliases none gets there."""
_DIGITS = re.compile("[-+]?[0-9]+")
_DEEPEST = 100
"""Brackets within brackets: PyYAML looks at all that are open for each that comes; 3,000 take it 6 seconds."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number or flag, and how it is written, which is all that is left of ``1.10`` where it stands for a text."""

    text: str
    value: Scalar

    def __str__(self) -> str:
        return self.text


class _TooLargeError(Exception):
    """Aliases within aliases make a small file large."""


@dataclass(slots=True)
class LinedYaml:
    """What a YAML text says.

    Attributes:
        content: The values; an empty text is an empty mapping, a broken one None.
        lines: The line, from 1, on which the value at a path begins, or its key.
        problems: What is wrong with the YAML itself, with its line.
    """

    content: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """Return the line of a path, else of the nearest key above it."""
        known = (path[:length] for length in range(len(path), 0, -1) if path[:length] in self.lines)
        return self.lines.get(next(known, ()), 1)


_TAG = "tag:yaml.org,2002:"
_SCALARS: dict[str, Callable[[str], Scalar | None]] = {
    f"{_TAG}str": str,
    f"{_TAG}int": int,
    f"{_TAG}float": float,
    f"{_TAG}bool": lambda word: {"true": True, "false": False}[word.lower()],
    f"{_TAG}null": lambda _: None,
}


class _Loader(yaml.SafeLoader):
    """The safe loader, with fewer words that are not texts, and brackets only so deep."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level >= _DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(token)


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str) -> LinedYaml:
    r"""Return what a YAML text says, with everything that is wrong with it as YAML.

    >>> read = read_yaml("country: no\nsteps:\n  - a\n  - b\n")
    >>> read.content, read.line(("steps", 1))
    ({'country': 'no', 'steps': ['a', 'b']}, 4)
    >>> read_yaml("a: 1\na: 2").problems
    [(2, 'a: the key stands twice, first on line 1')]
    """
    read = LinedYaml()
    if len(text) > LONGEST:
        read.problems.append((1, f"it has more letters than any configuration; allowed: {LONGEST:,}"))
        return read
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        content = None if node is None else _Reader(read).value(node, ())
    except yaml.reader.ReaderError as error:
        read.problems.append((text.count("\n", 0, error.position) + 1, f"broken YAML: {error.reason}"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        read.problems.append((1 if mark is None else mark.line + 1, f"broken YAML: {error.problem}"))
    except _TooLargeError:
        read.problems.append((1, "broken YAML: aliases make it larger than any configuration; write values in full"))
    except RecursionError:
        read.problems.append((1, "broken YAML: it is nested too deeply"))
    else:
        read.content = {} if content is None else content
    return read


@dataclass(frozen=True, slots=True)
class _Reader:
    read: LinedYaml
    counted: list[int] = field(default_factory=lambda: [0])

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._count(_EACH)
        self.read.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, place)) for place, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self._scalar(node)

    def _count(self, letters: int) -> None:
        self.counted[0] += letters
        if self.counted[0] > _LARGEST:
            raise _TooLargeError

    def _scalar(self, node: yaml.Node) -> Spelled | str | None:
        self._count(len(node.value))
        try:
            value = _SCALARS[node.tag](node.value)
            return value if value is None or isinstance(value, str) else Spelled(node.value, value)
        except (LookupError, ValueError):
            if _DIGITS.fullmatch(node.value):  # more than Python makes a number of
                return Spelled(node.value, node.value)
            problem = f"broken YAML: {json.dumps(node.value)} is no {node.tag.removeprefix(_TAG)}"
            self.read.problems.append((node.start_mark.line + 1, problem))
            return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.read.problems.append((line, f"{path_text(path)}: a key is not text"))
                continue
            key = key_node.value
            if key in found:
                first = self.read.lines[(*path, key)]
                self.read.problems.append(
                    (line, f"{path_text((*path, key))}: the key stands twice, first on line {first}")
                )
                continue
            self.read.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        return found


def path_text(path: KeyPath) -> str:
    """Return a path as an error shows it.

    >>> path_text(("funnels", 0, "name"))
    'funnels[0].name'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_key_text(part)}" for part in path)
    return text.removeprefix(".") or "the file"


def _key_text(key: str) -> str:
    return key if key.isprintable() and key else json.dumps(key)
