"""The kinds of values in the configuration: texts, durations, hosts, wanted column values, lists without repetition.

Here: what each kind allows; an error says only that, the reader (config/load.py) adds file, line, key and value.
Not here: which key has which kind (config/model.py, config/channels.py).
"""

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, StrictBool

from heap_assets.config.durations import duration_text, parse_duration
from heap_assets.config.lined_yaml import Spelled
from heap_assets.schema.labeled import Scalar, text_of

Item = TypeVar("Item")

_HOST = re.compile(r"[^\s.:/@?#\\]+(\.[^\s.:/@?#\\]+)*")
_LONGEST = timedelta(days=36_500)
_COUNTS = range(2, 1_000_000_001)


class ConfigurationPart(BaseModel):
    """A mapping of the configuration: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlacedError(ValueError):
    """What is wrong below a value, each problem with its place."""

    def __init__(self, problems: Mapping[tuple[str | int, ...], str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def _matching(pattern: str, allowed: str) -> AfterValidator:
    """Return a check that a text has this form throughout."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"allowed: {allowed}")
        return text

    return AfterValidator(check)


def distinct(key: Callable[[Item], Hashable], place: tuple[str, ...], allowed: str) -> AfterValidator:
    """Return a check that no two items of a list share a key, which stands at this place of an item."""

    def check(items: tuple[Item, ...]) -> tuple[Item, ...]:
        first: dict[Hashable, int] = {}
        repeated = [index for index, item in enumerate(items) if first.setdefault(key(item), index) < index]
        if repeated:
            raise PlacedError({(index, *place): f"allowed: {allowed}" for index in repeated})
        return items

    return AfterValidator(check)


def _not_empty(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if not items:
        raise ValueError("allowed: at least one item")
    return items


def _between(shortest: timedelta, longest: timedelta) -> AfterValidator:
    def check(duration: timedelta) -> timedelta:
        if not shortest <= duration <= longest:
            raise ValueError(f"allowed: {duration_text(shortest)} to {duration_text(longest)}")
        return duration

    return AfterValidator(check)


def _duration(value: object) -> timedelta:
    return value if isinstance(value, timedelta) else parse_duration(value if isinstance(value, str) else "")


def _wanted(value: object) -> str:
    if isinstance(value, Spelled):
        return value.text
    if isinstance(value, Scalar):
        return text_of(value)
    raise ValueError("allowed: text, a number, true or false")


def _spelled(value: object) -> object:
    return value.text if isinstance(value, Spelled) else value


def _unspelled(value: object) -> object:
    return value.value if isinstance(value, Spelled) else value


def _count(value: object) -> int:
    found = _unspelled(value)
    if isinstance(found, int) and not isinstance(found, bool) and found in _COUNTS:
        return found
    raise ValueError(f"allowed: a whole number from {_COUNTS[0]} to {_COUNTS[-1]}")


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise ValueError("allowed: a host without scheme, port and path, as in shop.example.com")
    return text.lower()


Text = Annotated[str, _matching(r"(?s).*\S.*", "text that is not blank")]
Identifier = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "letters a to z, digits, underscores; no digit first")]
Word = Annotated[str, _matching(r"[A-Za-z0-9_]+", "letters a to z, digits and underscores")]
Host = Annotated[str, AfterValidator(_host)]
Duration = Annotated[timedelta, BeforeValidator(_duration), _between(timedelta(seconds=1), _LONGEST)]
FreshnessDuration = Annotated[timedelta, BeforeValidator(_duration), _between(timedelta(minutes=1), _LONGEST)]
Count = Annotated[int, PlainValidator(_count)]
NotEmpty = AfterValidator(_not_empty)
OwnDomain = Annotated[Literal[True], BeforeValidator(_unspelled)]
Flag = Annotated[StrictBool, BeforeValidator(_unspelled)]
Words = Annotated[Text, BeforeValidator(_spelled)]
"""Text of a session: a number or flag is the text that it is written as."""
Where = Mapping[Text, Annotated[str, PlainValidator(_wanted)]]
"""Wanted values of columns, each as it is written: what it is compared as is the column's matter."""
