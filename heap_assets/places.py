"""Places that settings name: folders, files, S3, web addresses; what cannot be used is one message with its variable.

Here: what may stand in such a variable. Not here: which variables there are (settings.py), how an address is read
(addresses.py).
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from heap_assets.addresses import AddressError, S3Place, read_address
from heap_assets.errors import SettingsError

_MISREAD_BY_DELTA = re.compile(r"%[0-9A-Fa-f]{2}|[\\\x00-\x1f\x7f]|//|/\.{1,2}(/|$)")
_MOST_BYTES_OF_A_NAME = 200  # of the 255 that file systems take: files that are built beside have longer names


def is_s3(uri: str) -> bool:
    """Return whether a place is in S3."""
    return uri.startswith("s3://")


def place(name: str, value: str) -> str:
    """Return a folder as an absolute path, an S3 place as its address."""
    found = _address(name, value, allowed="a folder or s3://bucket/prefix")
    return str(found) if isinstance(found, Path) else found.uri


def local_path(name: str, value: str, *, allowed: str) -> Path:
    """Return an absolute path."""
    found = _address(name, value, allowed=allowed)
    if isinstance(found, Path):
        return found
    raise SettingsError(f"{name} is {value}; it must be {allowed}.")


def _address(name: str, value: str, *, allowed: str) -> Path | S3Place:
    try:
        found = read_address(value)
        if isinstance(found, Path):
            found.exists()  # a name that the file system refuses, as too long, is told here
    except AddressError as error:
        raise SettingsError(f"{name} is {error.shown}, which {error.reason}; it must be {allowed}.") from error
    except OSError as error:
        raise SettingsError(
            f"{name} is {value}, which cannot be used: {error.strerror}; choose another path."
        ) from error
    return found


def lake_place(name: str, value: str) -> str:
    """Return the place of a lake, which Delta has to read as it is meant."""
    uri = place(name, value)
    if _MISREAD_BY_DELTA.search(uri.removeprefix("s3://")):
        raise SettingsError(
            f"{name} is {uri}, but Delta misreads a percent sign before two hexadecimal digits, a backslash, control"
            " characters and empty parts; choose another place, by HEAP_LAKE_URI or HEAP_HOME."
        )
    if not is_s3(uri) and Path(uri).is_file():
        raise SettingsError(f"{name} is {uri}, which is a file; it must be a folder.")
    return uri


def published_path(name: str, value: str) -> Path:
    """Return the path of a file that is built beside and swapped in."""
    path = local_path(name, value, allowed="a path")
    if path.is_dir():
        raise SettingsError(f"{name} is {path}, which is a folder; it must be a file.")
    if len(path.name.encode()) > _MOST_BYTES_OF_A_NAME:
        raise SettingsError(f"{name} is {path}, whose name is longer than 200 bytes; shorten it.")
    return path


def web_address(name: str, value: str, *, example: str) -> str:
    """Return an address of the web without a slash at its end."""
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:  # an open bracket, a port that is not a number
        is_address = False
    if not is_address or "@" in value:
        shown = "not shown, since it holds credentials" if "@" in value else value
        raise SettingsError(f"{name} is {shown}; it must be an address such as {example}.")
    return value.rstrip("/")
