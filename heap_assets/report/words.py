"""Numbers as people read them: shares, counts, times that something took."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_HOURS_MATTER = 10 * _DAY
_DASH = "–"  # noqa: RUF001 (what stands where there is no number)


def share(rate: float | None) -> str:
    """Return a rate between 0 and 1 in percent; one that is not quite 0 or 1 does not read so.

    >>> share(0.5196), share(0.0004), share(0.99996), share(1.0), share(0.0)
    ('52%', '<1%', '>99%', '100%', '0%')
    """
    if rate is None:
        return _DASH
    if 0 < rate < 0.005:  # noqa: PLR2004 (what would be rounded to 0)
        return "<1%"
    if 0.995 <= rate < 1:  # noqa: PLR2004 (what would be rounded to 100)
        return ">99%"
    return f"{rate:.0%}"


def duration(seconds: float | None) -> str:
    """Return how long something took, in its largest unit or two.

    >>> duration(0.4), duration(39.7), duration(1362.9), duration(196_327), duration(12_400_000)
    ('0.4 s', '40 s', '23 min', '2 d 7 h', '144 d')
    """
    if seconds is None:
        return _DASH
    for limit, message in (
        (9.95, f"{seconds:.1f} s"),
        (99.5, f"{seconds:.0f} s"),
        (99.5 * _MINUTE, f"{seconds / _MINUTE:.0f} min"),
        (_DAY, f"{seconds / _HOUR:.1f} h"),
    ):
        if seconds < limit:
            return message
    if seconds > _HOURS_MATTER:
        return f"{seconds / _DAY:.0f} d"
    days, hours = divmod(round(seconds / _HOUR), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def count(number: float) -> str:
    """Return a number with its thousands apart, with a decimal only where it is a fraction.

    >>> count(1490), count(12.3456), count(12.0)
    ('1,490', '12.3', '12')
    """
    return f"{number:,.0f}" if abs(number - round(number)) < 1e-6 else f"{number:,.1f}"  # noqa: PLR2004


def model_name(model: str) -> str:
    """Return the name of an attribution model in words.

    >>> model_name("last_non_direct_touch")
    'Last non-direct touch'
    """
    words = model.replace("_", " ").replace("non direct", "non-direct").replace("position based", "position-based")
    return words.capitalize()
