"""The state of a lake: one document with what runs leave for the next, besides the ledger and the Delta tables.

Each part has one writer, the step that owns it. None is a truth: where a part is lost, torn or of another version of
the code, what it spared is done again; so it is where a file that it names is. A document that cannot be read at all,
for want of rights, is an error and never an empty one. Whoever writes has the lake's lock.
Here: reading and replacing parts. Not here: the ledger, the truth about what has landed (pipeline/ledger.py).
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from heap_assets.lake.storage import Storage

STATE = "state.json"
VERSION = 1
_VERSION, _PARTS = "version", "parts"

_T = TypeVar("_T")
_ONE_AT_A_TIME = threading.Lock()
_READ: dict[str, tuple[bytes, Mapping[str, Any]]] = {}
"""The document of each lake as it was read last: parsing it again takes longer than comparing it."""


class Part(Generic[_T]):
    """A part of the state: its name, its type, what there is without it, and the files that it names."""

    def __init__(
        self,
        name: str,
        of: TypeAdapter[_T],
        *,
        without: _T,
        files: Callable[[_T], Collection[str]] = lambda _: (),
    ) -> None:
        self.name = name
        self._of, self._without, self._files = of, without, files

    def read(self, storage: Storage) -> _T:
        """Return what was left, if it is there and can be read, and so are the files that it names."""
        left = self.known(storage)
        return self._without if left is None or storage.torn(self._files(left)) else left

    def known(self, storage: Storage) -> _T | None:
        """Return what was left, whatever became of the files that it names; None if there is nothing that says."""
        left = _parts(storage).get(self.name)
        try:
            return None if left is None else self._of.validate_json(to_json(left))
        except ValidationError:
            return None

    def write(self, storage: Storage, left: _T) -> None:
        """Replace what was left; all other parts stay."""
        with _ONE_AT_A_TIME:
            _replace(storage, {**_parts(storage), self.name: self._of.dump_python(left, mode="json")})


def forget(storage: Storage, parts: Iterable[Part[Any]]) -> None:
    """Have whoever reads these parts next do again what they spared; also after a power cut."""
    with _ONE_AT_A_TIME:
        before, gone = _parts(storage), {part.name for part in parts}
        after = {name: left for name, left in before.items() if name not in gone}
        if after != before or is_lost(storage):
            _replace(storage, after)


def is_lost(storage: Storage) -> bool:
    """Return whether there is a document that does not say what it should: torn, or of another version."""
    content = storage.read(STATE)
    return content is not None and _parsed(content) is None


def _parts(storage: Storage) -> Mapping[str, Any]:
    content = storage.read(STATE)
    if content is None:
        return {}
    known, parts = _READ.get(storage.uri, (b"", {}))
    if known != content:
        parts = _parsed(content) or {}
        _READ[storage.uri] = content, parts
    return parts


def _parsed(content: bytes) -> Mapping[str, Any] | None:
    try:
        document = from_json(content)
    except ValueError:
        return None
    whole = isinstance(document, dict) and document.keys() == {_VERSION, _PARTS} and document[_VERSION] == VERSION
    return document[_PARTS] if whole and isinstance(document[_PARTS], dict) else None


def _replace(storage: Storage, parts: Mapping[str, Any]) -> None:
    content = to_json({_VERSION: VERSION, _PARTS: parts})
    storage.write(STATE, content)
    _READ[storage.uri] = content, parts
