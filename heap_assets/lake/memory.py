"""Memories: documents that a run leaves with the lake so that the next one has less to do.

A memory is no truth: where it is lost, torn, or of another version of the code, what it spared is done again.
Here: reading and replacing one. Not here: the ledger, which is the truth about what has landed (pipeline/ledger.py).
"""

from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from heap_assets.lake.storage import Storage

_T = TypeVar("_T")


class Memory(Generic[_T]):
    """One such document: its path in the lake, its type, and what there is without it."""

    def __init__(self, path: str, of: TypeAdapter[_T], *, without: _T) -> None:
        self._path, self._of, self._without = path, of, without

    def read(self, storage: Storage) -> _T:
        """Return what was left, if it is there and can be read."""
        content = storage.read(self._path)
        try:
            return self._without if content is None else self._of.validate_json(content)
        except ValidationError:
            return self._without

    def write(self, storage: Storage, left: _T) -> None:
        """Replace what was left."""
        storage.write(self._path, self._of.dump_json(left))
