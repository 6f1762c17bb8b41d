"""Durations as the configuration writes them: 45s, 30m, 12h, 7d.

Here: text to timedelta and back. Not here: which lengths a setting allows (config/model.py).
"""

import re
from datetime import timedelta

_FORM = re.compile(r"([0-9]{1,12})([smhd])")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text names; any other text is a ValueError that says what is allowed.

    >>> parse_duration("30m"), parse_duration("14d")
    (datetime.timedelta(seconds=1800), datetime.timedelta(days=14))
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("allowed: a whole number and a unit, as in 45s, 30m, 12h, 7d")
    try:
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        return timedelta.max


def duration_text(duration: timedelta) -> str:
    """Return a duration in the largest unit that has no fraction.

    >>> duration_text(timedelta(hours=26)), duration_text(timedelta(days=2)), duration_text(timedelta(seconds=90))
    ('26h', '2d', '90s')
    """
    seconds = int(duration.total_seconds())
    unit = next(unit for unit, size in _SECONDS.items() if seconds % size == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"
