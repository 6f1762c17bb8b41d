"""A process that syncs when it is told to, and says what it is doing: the one that test_crash.py kills.

Here: as few imports as a sync needs, since start-up is what a kill costs. ``python -m`` with the settings in the
environment: a line on stdin starts it, the steps are lines on stdout.
"""

import os
import sys

from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings


def _say(what: str) -> None:
    print(what, flush=True)


def main() -> None:
    """Sync once; then wait to be killed."""
    _say("ready")
    sys.stdin.readline()
    sync = Sync(read_settings(os.environ), Silence())
    _say("land")
    sync.land()
    _say("resolve")
    sync.resolve()
    _say("publish")
    sync.publish()
    _say("done")
    sys.stdin.readline()


if __name__ == "__main__":
    main()
