"""Asking a running Dagster, and waiting for what it does.

Here: one question, one wait. Not here: starting it (working_copy.py), its pages (browser.py).
"""

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

_WAIT_S = 300  # a busy machine


def ask(address: str, query: str) -> dict:
    """Return the data of a GraphQL query."""
    request = urllib.request.Request(  # noqa: S310  our own address
        f"{address}/graphql", data=json.dumps({"query": query}).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)["data"]


def until(what: Callable[[], object], seconds: float = _WAIT_S, *, log: Path | None = None) -> object:
    """Wait until something is true, and return it; what cannot be asked yet is not true yet."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            last = what()
        except OSError as error:
            last = error
        else:
            if last:
                return last
        time.sleep(1)
    logs = "" if log is None else "\n".join(path.read_text()[-3000:] for path in log.glob("*.log"))
    raise AssertionError(f"still {last!r} after {seconds} s\n{logs}")
