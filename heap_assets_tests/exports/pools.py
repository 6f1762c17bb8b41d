"""The few values that drawn exports consist of: few ids and moments, so that rows meet; each in all forms it may take.

Here: cells by column and Avro type. Not here: which columns a file has (files.py).
"""

from datetime import UTC, datetime

SECOND = 1_000_000
DAY = 86_400 * SECOND
FIRST = int(datetime(2024, 3, 10, 9, 30, tzinfo=UTC).timestamp()) * SECOND

# Two equal to the second, one to the microsecond, one that is later than every manifest, one long ago.
MOMENTS = (
    FIRST,
    FIRST + 5 * SECOND,
    FIRST + 5 * SECOND + 123_456,
    FIRST + DAY,
    FIRST + 400 * DAY,
    999_999_999 * SECOND,
)

TIMESTAMPS = ("timestamp-micros", "timestamp-millis", "local-timestamp-micros", "local-timestamp-millis")
_ZONED = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f+00", "%Y-%m-%d %H:%M:%S.%f")
_NO_TIMES = (
    "",
    "yesterday",
    "2024-02-30",
    "2024-03-10T24:00",
    "2024-03-10 09:30:00 UTC",
    " 2024-03-10",
    "2024-03-10T09:30:00.Z",
    "2024-3-10",
    "0",
)


def _texts(moment: int) -> list[str]:
    utc = datetime.fromtimestamp(moment // SECOND, UTC).replace(microsecond=moment % SECOND)
    east = datetime.fromtimestamp(moment // SECOND + 5400, UTC)
    west = datetime.fromtimestamp(moment // SECOND - 12600, UTC)
    return [
        *(utc.strftime(form) for form in _ZONED),
        east.strftime("%Y-%m-%dT%H:%M:%S+01:30"),
        west.strftime("%Y-%m-%d %H:%M-0330"),
        utc.strftime("%Y-%m-%dT%H:%M:%S.%f789Z"),
        utc.strftime("%Y-%m-%d %H:%M:%S.5"),
        utc.strftime("%Y-%m-%d"),
        *(str(number) for number in _epochs(moment)),
    ]


def _epochs(moment: int) -> list[int]:
    return [moment, moment // 1000, moment // SECOND, moment * 1000 + 999]


_TEXT_TIMES = (*(text for texts in zip(*map(_texts, MOMENTS), strict=True) for text in texts), *_NO_TIMES)
_LONG_TIMES = (*(number for numbers in zip(*map(_epochs, MOMENTS), strict=True) for number in numbers), 0, -86_400)

TIMES = {
    "string": _TEXT_TIMES,
    "long": _LONG_TIMES,
    "int": (FIRST // SECOND, FIRST // SECOND + 5, 0),
    "timestamp-nanos": tuple(moment * 1000 + 1 for moment in MOMENTS),
    **{
        name: MOMENTS if name.endswith("micros") else tuple(moment // 1000 for moment in MOMENTS) for name in TIMESTAMPS
    },
}

FEW = (1, 2, 3, 4)
USERS = (1, 2, 3, 4, 5)


def ids(numbers: tuple[int, ...]) -> dict[str, tuple]:
    """Return the cells of an id column: the numbers, or their digits among text that is none."""
    digits = tuple(str(number) for number in numbers)
    return {
        "long": numbers,
        "int": numbers,
        "string": (*digits, *digits, *digits, f"0{digits[0]}", "x", "", "1.5", " 2"),
    }


VALUES = {
    "string": ("a", "b", "", "5", "5.0", "true", "ä🎈", "direct", "a*b\n", "2024-03-10"),
    "long": (5, 0, -1, 2**53 + 1, FIRST // SECOND),
    "int": (5, 7),
    "double": (5.0, 0.1, -1.25, 1e16, 2.5e-07),
    "float": (5.0, 0.5, 1.25),
    "boolean": (True, False),
    **{name: TIMES[name] for name in (*TIMESTAMPS, "timestamp-nanos")},
}
