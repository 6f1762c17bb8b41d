"""Starts a task in a process of its own and reads what it measured.

A fresh process per run makes peak memory its own, and keeps warm caches and thread pools of one contestant from the
next. The caller's HEAP_*, AWS_* and DAGSTER_* variables do not reach it. Not here: what the process does (child.py).
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = __package__
_ROOT = Path(__file__).parents[2]
_OURS = ("HEAP_", "AWS_", "DAGSTER_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run took, and what the task says itself.

    ``cpu_seconds`` are those of all its threads; ``others_cores`` is how many of its cores other programs used
    meanwhile, on average.
    """

    seconds: float
    cpu_seconds: float
    others_cores: float
    peak_bytes: int
    values: dict[str, Any]


def run_fresh(
    task: str, arguments: Mapping[str, Any], *, workspace: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run ``module:function``, a module of this package, with these arguments in a fresh process.

    Raises:
        RuntimeError: The process failed; has the end of what it said.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    given, result = workspace / "arguments.json", workspace / "measured.json"
    given.write_text(json.dumps(dict(arguments)), encoding="utf-8")  # thousands of files are no command line
    result.unlink(missing_ok=True)
    os.sync()  # what the run before has left to write is not this one's
    process = subprocess.run(
        [sys.executable, "-m", f"{_HERE}.child", f"{_HERE}.{task}", str(given), str(result)],
        cwd=_ROOT,
        env=kept | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(f"{task} failed ({process.returncode}):\n{(process.stdout + process.stderr)[-4000:]}")
    return Measured(**json.loads(result.read_text(encoding="utf-8")))
