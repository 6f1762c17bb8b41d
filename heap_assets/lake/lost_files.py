"""Files that a table's log names and the disk does not have as they were committed.

Looked at in every run. A file that was cut has another size; that its end is there is asked of the
newest deliveries alone, for a power cut harms what was written last. Not here: landing them again (pipeline/).
"""

import os
from collections.abc import Iterable

from heap_assets.lake.listing import LandedFile
from heap_assets.lake.storage import Storage

_NEWEST_DELIVERIES = 2


def lost_files(storage: Storage, files: Iterable[LandedFile]) -> tuple[LandedFile, ...]:
    """Return the files that are gone or not whole; none in S3, which keeps what it has taken.

    Raises:
        OSError: A file cannot be looked at, which does not mean that it is not there.
    """
    if not storage.can_tear:
        return ()
    files = tuple(files)
    newest = sorted({file.delivery: file.first_row_id for file in files}.items(), key=lambda one: one[1])
    looked_into = {delivery for delivery, _ in newest[-_NEWEST_DELIVERIES:]}
    torn = storage.torn([file.path for file in files if file.delivery in looked_into])
    return tuple(file for file in files if file.path in torn or _size(storage.address(file.path)) != file.size)


def _size(address: str) -> int | None:
    try:
        return os.stat(address).st_size  # noqa: PTH116  a Path takes as long again
    except (FileNotFoundError, NotADirectoryError):
        return None
