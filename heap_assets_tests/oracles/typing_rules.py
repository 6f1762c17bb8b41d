"""What one delivered value means: ids, times, and the text form of a number; and which type holds a whole column.

Here: values and sets of types. Not here: which columns are ids or times (roles.py), reading files (export_reader.py).
A type is always the name of a DuckDB type: BIGINT, DOUBLE, BOOLEAN, VARCHAR, TIMESTAMP.
"""

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from fractions import Fraction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_DIGITS = re.compile(r"-?[0-9]+")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_HOURS, _MINUTES = 24, 60


def resolved_type(types: Collection[str]) -> str:
    """Return the narrowest type that holds the values of all these types."""
    kinds = set(types)
    if not kinds:
        return "VARCHAR"
    if "TIMESTAMP" in kinds:
        return "TIMESTAMP"
    if len(kinds) == 1:
        return kinds.pop()
    return "DOUBLE" if kinds == {"BIGINT", "DOUBLE"} else "VARCHAR"


def in_type(value: object, duckdb_type: str) -> object:
    """Return a delivered value as its column's type holds it."""
    if value is None:
        return None
    if duckdb_type == "TIMESTAMP":
        return as_time(value)
    if duckdb_type == "DOUBLE":
        return float(value)
    if duckdb_type == "VARCHAR":
        return as_text(value)
    return value


def as_text(value: object) -> str:
    """Return the text form of a value.

    >>> [as_text(value) for value in (5, 5.0, 0.1, True, "x")]
    ['5', '5.0', '0.1', 'true', 'x']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def as_id(value: object) -> int | None:
    """Return an id: a whole number of 64 bits, or digits; anything else is none.

    >>> [as_id(value) for value in (5, "5", "007", "x", "", " 5", "5.0", True, None, 2**63)]
    [5, 5, 7, None, None, None, None, None, None, None]
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if _fits(value) else None


def as_time(value: object) -> datetime | None:
    """Return a moment in UTC without zone, to the microsecond; 0 and what is not a time are none.

    >>> as_time("2024-01-02T03:04:05.1234567+0130")
    datetime.datetime(2024, 1, 2, 1, 34, 5, 123456)
    >>> as_time(1704164645) == as_time(1704164645000) == as_time("1704164645000000") == as_time("2024-01-02 03:04:05")
    True
    """
    if isinstance(value, datetime):
        return None if value == EPOCH else value
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            return _time_of_text(value)
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return _time_of_epoch(Fraction(value))


def _fits(value: float | Fraction) -> bool:
    return -(2**63) <= value < 2**63


def _time_of_epoch(number: Fraction) -> datetime | None:
    size = abs(number)
    if size == 0 or not _fits(number):
        return None
    if size < 10**11:
        microseconds = number * 1_000_000
    elif size < 10**14:
        microseconds = number * 1_000
    elif size < 10**17:
        microseconds = number
    else:
        microseconds = number / 1_000
    try:
        return EPOCH + timedelta(microseconds=math.floor(microseconds))
    except OverflowError:
        return None


def _time_of_text(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    try:
        local = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            microsecond,
            tzinfo=UTC,
        )
        return local.replace(tzinfo=None) - _offset(zone or "Z")
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours >= _HOURS or minutes >= _MINUTES:
        raise ValueError(f"no zone is {zone} from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset
