"""How Avro's bytes, decimals, days and times are written as text.

Here: one value to its text. Not here: which values are text (values.py).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from heap_assets.errors import UnreadableFileError

MOMENTS = frozenset({"timestamp-millis", "timestamp-micros", "local-timestamp-millis", "local-timestamp-micros"})
_MOST_DECIMAL_BYTES = 1_000
_DAYS_TO_1970 = date(1970, 1, 1).toordinal()
_MICROS = {"millis": 1_000, "micros": 1}


def text_of(value: bytes) -> str:
    """Return bytes as text; what is not UTF-8 is escaped."""
    return value.decode("utf-8", "backslashreplace")


def plain_digits(unscaled: bytes, scale: int) -> str:
    """Return a decimal as its digits, as few as say it, without an exponent.

    >>> plain_digits((1234).to_bytes(2), 2), plain_digits(b"", 10), plain_digits((-1).to_bytes(1, signed=True), 7)
    ('12.34', '0', '-0.0000001')
    """
    if len(unscaled) > _MOST_DECIMAL_BYTES:
        raise UnreadableFileError(f"a decimal has {len(unscaled):,} bytes, the most is {_MOST_DECIMAL_BYTES:,}")
    value = int.from_bytes(unscaled, signed=True)
    digits = str(abs(value)).rjust(scale + 1, "0")
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :].rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


def _day(days: int) -> str:
    within = 1 <= days + _DAYS_TO_1970 <= date.max.toordinal()
    return date.fromordinal(days + _DAYS_TO_1970).isoformat() if within else str(days)


def _time_of_day(micros: int) -> str | None:
    within = 0 <= micros < timedelta(days=1) // timedelta(microseconds=1)
    return (datetime.min + timedelta(microseconds=micros)).time().isoformat() if within else None  # noqa: DTZ901


def moment(logical: str) -> Callable[[int], Any]:
    """Return how a timestamp within a list, map or record is written; what no calendar has stays a number."""
    local, _, unit = logical.rpartition("timestamp-")
    begin = datetime(1970, 1, 1, tzinfo=None if local else UTC)

    def written(value: int) -> Any:
        try:
            return str(begin + timedelta(microseconds=value * _MICROS[unit]))
        except OverflowError:
            return value

    return written


WRITTEN_OUT: dict[tuple[str, str], Callable[[int], str]] = {
    ("int", "date"): _day,
    ("int", "time-millis"): lambda value: _time_of_day(value * 1000) or str(value),
    ("long", "time-micros"): lambda value: _time_of_day(value) or str(value),
}
"""Numbers that are delivered as text, by type and logical type."""
