"""A power cut, as a disk that keeps its word and nothing more may leave a folder.

What was flushed is there: the content of a file that was, the names of a folder that was. Of all else each name may be
old, new or gone, each content whole, torn or empty, each by itself. Real file systems are kinder. Here: recording what
a process flushes, and drawing what is left. Not here: what a run makes of it (pipeline/test_power_cuts.py).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest


@dataclass(frozen=True)
class Node:
    """A file, or a folder (no content), as it was at a moment."""

    inode: int
    content: bytes | None


Tree = dict[str, Node]
"""What is below a folder, by path relative to it; the folder itself is the empty path."""


@dataclass(frozen=True)
class Moment:
    """What a folder looked like, and what of it was on the disk: files as they were flushed, names by folder."""

    number: int
    seen: Tree
    names: dict[str, Tree]
    flushed: dict[Node, int]

    def is_safe(self, file: Node) -> bool:
        """Return whether this content of a file was flushed before."""
        return self.flushed.get(file, self.number) < self.number


@dataclass
class Recorder:
    """The moments before each flush of a file or folder below ``root``; between two nothing new reaches the disk."""

    root: Path
    moments: list[Moment] = field(default_factory=list)
    _flushed: dict[Node, int] = field(default_factory=dict)
    _names: dict[str, Tree] = field(default_factory=dict)
    _read: dict[tuple[int, int, int], Node] = field(default_factory=dict)

    def settled(self) -> None:
        """Take everything that is there for flushed: the power stayed on for long."""
        seen = self._seen()
        self._flushed = {node: -1 for node in seen.values() if node.content is not None}
        self._names = {path: _right_in(seen, path) for path, node in seen.items() if node.content is None}

    def moment(self) -> Tree:
        """Note what there is now, and return it."""
        self.moments.append(Moment(len(self.moments), self._seen(), dict(self._names), self._flushed))
        return self.moments[-1].seen

    def flushed(self, path: Path) -> None:
        """Note that a file or folder is being flushed; only after this is it on the disk."""
        if path != self.root and self.root not in path.parents:
            return
        seen = self.moment()
        relative = "" if path == self.root else path.relative_to(self.root).as_posix()
        node = seen[relative]
        if node.content is None:
            self._names[relative] = _right_in(seen, relative)
        else:
            self._flushed.setdefault(node, len(self.moments) - 1)

    def _seen(self) -> Tree:
        found: Tree = {"": Node(self.root.stat().st_ino, None)}

        def look(folder: Path, prefix: str) -> None:
            for entry in os.scandir(folder):
                path = f"{prefix}{entry.name}"
                if entry.is_dir():
                    found[path] = Node(entry.inode(), None)
                    look(Path(entry.path), f"{path}/")
                    continue
                with suppress(FileNotFoundError):  # another thread has renamed it since
                    status = entry.stat()
                    key = (status.st_ino, status.st_mtime_ns, status.st_size)
                    if key not in self._read:
                        self._read[key] = Node(status.st_ino, Path(entry.path).read_bytes())
                    found[path] = self._read[key]

        look(self.root, "")
        return found


@contextmanager
def recorded(root: Path) -> Iterator[Recorder]:
    """Record what this process flushes below a folder; what is there at the beginning counts as flushed."""
    recorder = Recorder(root)
    recorder.settled()
    flush: Callable[[int], None] = os.fsync

    def noted(file: int) -> None:
        recorder.flushed(Path(f"/proc/self/fd/{file}").readlink())
        flush(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", noted)
        yield recorder
    recorder.moment()


def left_by_power_cut(moment: Moment, random: Random, into: Path) -> None:
    """Write what a power cut at this moment may leave of the folder."""
    careless = random.choice((0.1, 0.5, 1.0))  # how much of what was not flushed is lost

    def lost() -> bool:
        return random.random() < careless

    def write(path: str) -> None:
        there = into / path
        there.mkdir(parents=True, exist_ok=True)
        now, kept = _right_in(moment.seen, path), moment.names.get(path, {})
        for name in sorted({*now, *kept}):
            node = now.get(name)
            if node is None or node.inode != getattr(kept.get(name), "inode", None):
                node = kept.get(name) if lost() else node  # the name did not reach the disk, or its removal did not
            inner = f"{path}/{name}" if path else name
            if node is None:
                continue
            if node.content is None:
                write(inner)
            elif moment.is_safe(node) or not lost():
                (there / name).write_bytes(node.content)
            else:
                (there / name).write_bytes(node.content[: random.choice((0, random.randrange(len(node.content) + 1)))])

    write("")


def _right_in(seen: Tree, folder: str) -> Tree:
    prefix = f"{folder}/" if folder else ""
    return {
        path.removeprefix(prefix): node
        for path, node in seen.items()
        if path and path.startswith(prefix) and "/" not in path.removeprefix(prefix)
    }
