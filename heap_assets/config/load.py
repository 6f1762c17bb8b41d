"""The configuration file: YAML to a Configuration, or one error that tells everything that is wrong with it.

Here: errors with file, line, key, value and what is allowed. Not here: what is allowed (config/model.py), YAML
(config/lined_yaml.py).
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from heap_assets.config.lined_yaml import LONGEST, KeyPath, LinedYaml, Spelled, path_text, read_yaml
from heap_assets.config.model import Configuration
from heap_assets.config.values import PlacedError
from heap_assets.errors import ConfigurationError

_PACKAGED = files("heap_assets.config") / "heap.yaml"
_MOST_PROBLEMS = 100
_ALLOWED = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "string_type": "text; in quotes, if it looks like something else",
    "tuple_type": "a list",
}


def load_configuration(path: Path | None) -> Configuration:
    """Return the configuration of a file; None stands for the packaged one.

    Raises:
        ConfigurationError: The file cannot be read or is wrong; the message has one line for each thing.
    """
    if path is None:
        return configuration_from_text(_PACKAGED.read_text(encoding="utf-8"), name=_PACKAGED.name)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: it is not UTF-8 text: {error}") from error
    return configuration_from_text(text, name=str(path))


def configuration_from_text(text: str, *, name: str) -> Configuration:
    """Return the configuration that a YAML text says; ``name`` is the file's name in errors.

    >>> configuration_from_text("session_gap: 45m", name="heap.yaml").session_gap
    datetime.timedelta(seconds=2700)
    >>> configuration_from_text("own_domains: [https://example.com]", name="heap.yaml")
    Traceback (most recent call last):
    heap_assets.errors.ConfigurationError: heap.yaml, line 1: own_domains[0]: "https://example.com";
    allowed: a host without scheme, port and path, as in shop.example.com
    """
    read = read_yaml(text)
    problems = list(read.problems)
    if read.content is not None:
        try:
            configuration = Configuration.model_validate(read.content)
        except ValidationError as error:
            problems += [problem for details in error.errors(include_url=False) for problem in _problems(details, read)]
    if problems:
        lines = [f"{name}, line {line}: {problem}" for line, problem in sorted(problems)]
        more = [f"{name}: {len(lines) - _MOST_PROBLEMS:,} more problems"] if len(lines) > _MOST_PROBLEMS else []
        raise ConfigurationError("\n".join([*lines[:_MOST_PROBLEMS], *more]))
    return configuration


def _problems(details: ErrorDetails, read: LinedYaml) -> Iterator[tuple[int, str]]:
    location: KeyPath = details["loc"]
    if details["type"] != "extra_forbidden" and location[-1:] == ("[key]",):  # the key is wrong, not its value
        location = location[:-1]
    error = details.get("ctx", {}).get("error")
    if isinstance(error, PlacedError):
        for place, message in error.problems.items():
            path = (*location, *place)
            yield read.line(path), f"{path_text(path)}: {_shown(_value_at(read.content, path))}; {message}"
    else:
        yield read.line(location), f"{path_text(location)}: {_shown(details['input'])}; {_message(details, location)}"


def _message(details: ErrorDetails, location: KeyPath) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "extra_forbidden":
            return f"unknown key; allowed: {_keys_at(location[:-1])}"
        case "missing":
            return "this key is missing"
        case "literal_error":
            return f"allowed: {context['expected']}".replace("True", "true")
        case "model_type":
            return f"allowed: a mapping with the keys {_keys_at(location)}"
        case kind:
            return f"allowed: {_ALLOWED[kind]}" if kind in _ALLOWED else details["msg"]


def _value_at(content: Any, path: KeyPath) -> Any:
    for part in path:
        content = content[part]
    return content


def _keys_at(path: KeyPath) -> str:
    """Return the keys that the mapping at a path can have."""
    kind: Any = Configuration
    for part in path:
        kind = _kind_below(kind, part)
    return ", ".join(kind.model_fields)


def _kind_below(kind: Any, part: str | int) -> Any:
    if isinstance(part, str) and isinstance(kind, type) and issubclass(kind, BaseModel):
        return _plain(kind.model_fields[part].annotation)
    arguments = get_args(kind)
    return _plain(arguments[-1] if issubclass(get_origin(kind), Mapping) else arguments[0])


def _plain(kind: Any) -> Any:
    """Return a type without Annotated and without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _plain(next(one for one in get_args(kind) if one is not type(None)))
    return kind


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, Spelled) else json.dumps(value, ensure_ascii=False, default=_plainly)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - enough to find it


def _plainly(value: object) -> object:
    return value.value if isinstance(value, Spelled) else str(value)
