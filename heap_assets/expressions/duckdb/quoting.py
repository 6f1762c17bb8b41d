"""SQL text that cannot be broken by the names and paths that it is made of.

Here: the one way to quote an identifier, a text and a file path. Everything in warehouse/ goes through it.
"""

from collections.abc import Iterable


def identifier(*parts: str) -> str:
    """Return a quoted identifier, of several parts joined by dots.

    >>> identifier("main", 'a "b".c')
    '"main"."a ""b"".c"'
    """
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Return a quoted text.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def file_list(paths: Iterable[str]) -> str:
    """Return a list of file paths for read_parquet, which would take ``*``, ``?`` and ``[`` as patterns.

    >>> file_list(["/data/[a]*.parquet"])
    "['/data/[[]a][*].parquet']"
    """
    return "[" + ", ".join(literal(_plain(path)) for path in paths) + "]"


def _plain(path: str) -> str:
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in path)
