"""Memories: documents that a run leaves with the lake so that the next one has less to do.

A memory is no truth: where it is lost, torn, or of another version of the code, what it spared is done again; so it is
where a file that it names is. One that cannot be read at all, for want of rights, is an error as any other.
Here: reading and replacing one. Not here: the ledger, which is the truth about what has landed (pipeline/ledger.py).
"""

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from heap_assets.lake.storage import Storage

_T = TypeVar("_T")


class Memory(Generic[_T]):
    """One such document: its path in the lake, its type, what there is without it, and the files that it names."""

    def __init__(
        self,
        path: str,
        of: TypeAdapter[_T],
        *,
        without: _T,
        files: Callable[[_T], Collection[str]] = lambda _: (),
    ) -> None:
        self._path, self._of, self._without, self._files = path, of, without, files

    def read(self, storage: Storage) -> _T:
        """Return what was left, if it is there and can be read, and so are the files that it names."""
        left = self.known(storage)
        return self._without if left is None or storage.torn(self._files(left)) else left

    def known(self, storage: Storage) -> _T | None:
        """Return what was left, whatever became of the files that it names; None if there is nothing that says."""
        content = storage.read(self._path)
        try:
            return None if content is None else self._of.validate_json(content)
        except ValidationError:
            return None

    def write(self, storage: Storage, left: _T) -> None:
        """Replace what was left."""
        storage.write(self._path, self._of.dump_json(left))

    def forget(self, storage: Storage) -> None:
        """Have whoever reads next do again what this spared; also after a power cut."""
        if self.known(storage) is not None:
            self.write(storage, self._without)
