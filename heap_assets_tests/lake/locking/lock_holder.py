"""A process that holds the lock of the lake that its environment names, until it is killed or told to commit.

``python -m``; a line when it holds the lock. After a line on stdin it writes a document to the lake, and says how that
went. An argument says after how many seconds its lease runs out. Not here: expectations (test_lock.py).
"""

import os
import sys
from datetime import timedelta
from functools import partial

from heap_assets.errors import HeapAssetsError
from heap_assets.lake.locking.lease import S3Lease
from heap_assets.pipeline import opening
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings


def main() -> None:
    """Hold, wait, write."""
    if len(sys.argv) > 1:
        opening.S3Lease = partial(S3Lease, lease=timedelta(seconds=float(sys.argv[1])))
    sync = Sync(read_settings(os.environ), Silence())
    try:
        with sync.turn("test"):
            print("held", flush=True)
            sys.stdin.readline()
            sync.storage.write("document", b"by the holder")
            print("written", flush=True)
    except HeapAssetsError as error:
        print(error, flush=True)


if __name__ == "__main__":
    main()
