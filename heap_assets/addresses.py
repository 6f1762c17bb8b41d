"""Addresses: where an export, a lake or a file lies, read by one rule for all of them.

A folder is a path, ``~`` its beginning at home, or ``file:///folder``, which alone is URL-decoded. A place in S3 is
``s3://bucket[/prefix]``, taken literally: ``#``, ``?``, ``%`` and blanks are letters of the prefix like any other.
Here: text to a place. Not here: what may lie there (settings.py), reaching it (aws/).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://).*@", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class AddressError(ValueError):
    """A text that is not an address: ``shown`` is the text without a password in it, ``reason`` goes on after it."""

    def __init__(self, text: str, reason: str) -> None:
        self.shown = _CREDENTIALS.sub(r"\1***@", text)
        self.reason = reason
        super().__init__(f"{self.shown!r} {reason}")


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and a prefix without slashes at its ends, empty for the whole bucket."""

    bucket: str
    prefix: str = ""

    @property
    def uri(self) -> str:
        """Return the address.

        >>> S3Place("acme", "a#b").uri
        's3://acme/a#b'
        """
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def read_address(text: str) -> Path | S3Place:
    """Return the folder or file (absolute), or the place in S3, that a text names.

    >>> read_address("s3://acme/what?/100%/")
    S3Place(bucket='acme', prefix='what?/100%')

    Raises:
        AddressError: It names neither.
    """
    address = _SCHEME.fullmatch(text)
    if address is None:
        return _path(text)
    scheme, rest = address["scheme"].lower(), address["rest"]
    if scheme == "file":
        host, slash, path = rest.partition("/")
        if host not in {"", "localhost"} or not slash:
            raise AddressError(text, "is not a local folder: an absolute path has three slashes, file:///folder")
        return _path(f"/{unquote(path)}")
    if scheme not in {"s3", "s3a"}:
        raise AddressError(text, "is neither a local path nor s3://bucket/prefix")
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise AddressError(text, "names no bucket")
    return S3Place(bucket, prefix.strip("/"))


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:  # what expanduser says of ~nobody-here
        raise AddressError(text, f"begins with a home folder that is not known ({error})") from error
