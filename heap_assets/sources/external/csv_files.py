"""A CSV file of the user's own: its delimiter and header, its SELECT as text, and what is wrong with a line.

DuckDB reads it; where that ends in an error the file is read again, slowly, for the line and the cause. Every value is
text here. Not here: types (transforms/typed_texts.py), other sources (reading.py).
"""

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heap_assets.errors import SourceError
from heap_assets.expressions.duckdb.quoting import file_list, literal
from heap_assets.schema.names import folded

_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20
_LONGEST_VALUE = 1 << 26
_SAVE_IT = "save it as UTF-8"


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file: how it is delimited, and its columns."""

    path: Path
    delimiter: str
    names: tuple[str, ...]

    def select(self) -> str:
        """Return the SELECT of all columns as text; nothing is guessed, a line of another width is an error."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.names)
        dialect = f"delim = {literal(self.delimiter)}, quote = '\"', escape = '\"', header = true, auto_detect = false"
        limit = f"max_line_size = {_LONGEST_VALUE}"
        return f"SELECT * FROM read_csv({file_list([str(self.path)])}, {dialect}, {limit}, columns = {{{columns}}})"

    def problem(self) -> str | None:
        """Return the first line that is not as wide as the header, or not closed; None if Python finds none."""
        csv.field_size_limit(_LONGEST_VALUE)
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            begins = 1
            try:
                for row in reader:
                    if row and len(row) != len(self.names):
                        return _width_problem(begins, len(row), self.names)
                    begins = reader.line_num + 1
            except csv.Error as error:
                return f"line {begins}: a quote is not closed, or stands within a value without being doubled ({error})"
        return None


def csv_file(path: Path) -> CsvFile:
    """Return what a CSV file is like.

    Raises:
        SourceError: It is empty, no UTF-8 text, or has a column twice; file, line, column and cause are named.
        OSError: It cannot be opened.
    """
    _refuse_other_encodings(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(_LONGEST_VALUE)
        if not first.strip():
            raise SourceError(f"{path.name}, line 1: there is no header; the first line must name the columns.")
        outside = "".join(first.split('"')[::2])
        delimiter = max(_DELIMITERS, key=outside.count)
        file.seek(0)
        try:
            names = next(csv.reader(file, delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise SourceError(f"{path.name}, line 1: the header cannot be read: {error}.") from error
    return CsvFile(path, delimiter, _named(names, path))


def _named(names: Sequence[str], path: Path) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    named = [name or f"column_{place}" for place, name in enumerate(names, start=1)]
    for place, name in enumerate(named, start=1):
        first = seen.setdefault(folded(name), place)
        if first != place:
            raise SourceError(
                f"{path.name}, line 1: the column {name} stands twice, as columns {first} and {place}; rename one."
            )
    return tuple(named)


def _width_problem(line: int, width: int, names: Sequence[str]) -> str:
    if width < len(names):
        return f"line {line}: it has {width} columns of {len(names)}; {names[width]} is missing"
    return f"line {line}: it has {width} columns, {width - len(names)} more than the header, whose last is {names[-1]}"


def _refuse_other_encodings(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        start = file.read(2)
        if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise SourceError(f"{path.name}, line 1: it is UTF-16 text, not UTF-8; {_SAVE_IT}.")
        file.seek(0)
        lines, place = 1, 0
        while chunk := file.read(_CHUNK):
            wrong = chunk.find(b"\0")
            try:
                decoder.decode(chunk if wrong < 0 else chunk[:wrong])
            except UnicodeDecodeError as error:
                # ``object`` begins with what the chunk before left over, which has no line break
                before = error.object[: error.start]
                line, value = lines + before.count(b"\n"), error.object[error.start]
                column = error.start - before.rfind(b"\n") if b"\n" in before else place + error.start + 1
                raise SourceError(
                    f"{path.name}, line {line}, byte {column} of it (0x{value:02x}): it is not UTF-8 text; {_SAVE_IT}."
                ) from None
            if wrong >= 0:
                line = lines + chunk.count(b"\n", 0, wrong)
                raise SourceError(f"{path.name}, line {line}: a NUL byte; it is not UTF-8 text; {_SAVE_IT}.")
            lines += chunk.count(b"\n")
            place = place + len(chunk) if b"\n" not in chunk else len(chunk) - chunk.rfind(b"\n") - 1
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise SourceError(f"{path.name}, line {lines}: it ends within a letter; it is cut off.") from None
