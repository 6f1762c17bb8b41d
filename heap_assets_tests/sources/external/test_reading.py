"""Tables of the user's own, read as they are written: CSV, Parquet, DuckDB; and what is said of what cannot be read.

Here: files to rows. Not here: the join and the published file (pipeline/build/test_external_data.py).
"""

import duckdb
import polars as pl
import pytest

from heap_assets.errors import SourceError
from heap_assets.sources.external.reading import copy_external_table
from heap_assets.sources.external.table import ExternalTable
from heap_assets.transforms.typed_texts import typed_texts

KEYS = ["1.10", "True", "9" * 23, "A17", "00019", " 7 ", "1e3", "2024-01-01", "null", "NaN", "-0", "0x1f", "é;,"]


def read(path, column="key", kind="csv", table=()):
    copy_external_table(
        ExternalTable(kind=kind, place=str(path), table=table, column=column, key="identity"), path.with_suffix(".copy")
    )
    return pl.read_parquet(path.with_suffix(".copy"), glob=False)


def csv_of(folder, content):
    path = folder / "crm.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_key_is_text_just_as_it_is_written(tmp_path, delimiter, line_end):
    quoted = ['"' + key + '"' if delimiter in key else key for key in KEYS]
    lines = [f"key{delimiter}plan", *(f"{key}{delimiter}x" for key in quoted)]
    found = read(csv_of(tmp_path, line_end.join(lines) + line_end))
    assert found["key"].to_list() == KEYS
    assert set(found["plan"]) == {"x"}


def test_a_value_that_comes_late_is_as_one_that_comes_early(tmp_path):
    early = "".join(f"{n},{n},{n % 7 + 1},5,2024-01-01\n" for n in range(30_000))
    content = f"key,seats,price,zip,day\n{early}00019,19,19.99,00019,2024-02-30\n"
    found = typed_texts(read(csv_of(tmp_path, content)), but=["key"])
    assert found.row(-1) == ("00019", 19, 19.99, "00019", "2024-02-30")
    assert [kind.to_python() for kind in found.dtypes] == [str, int, float, str, str]
    assert found.row(0) == ("0", 0, 1.0, "5", "2024-01-01")


def test_whole_columns_are_typed_and_only_those(tmp_path):
    content = "key,flag,day,at,long,huge,none\na,true,2024-02-29,2024-01-01T10:00:00,-5," + "9" * 19 + ",\nb,,,,,,\n"
    found = typed_texts(read(csv_of(tmp_path, content)), but=["key"])
    kinds = [pl.String, pl.Boolean, pl.Date, pl.Datetime("us"), pl.Int64, pl.String, pl.String]
    assert found.dtypes == kinds
    assert found["none"].null_count() == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("key,plan\n1,a\n2,b,c\n", "crm.csv, line 3: it has 3 columns, 1 more than the header, whose last is plan"),
        ("key,plan\n1,a\n2\n3,c\n", "crm.csv, line 3: it has 1 columns of 2; plan is missing"),
        ('key,plan\n1,"a\nb"\n2,"c\n3,d\n', "crm.csv, line 4: a quote is not closed"),
        ("", "crm.csv, line 1: there is no header"),
        ("\n\n", "crm.csv, line 1: there is no header"),
        ("key,plan,KEY\n1,a,2\n", "crm.csv, line 1: the column KEY stands twice, as columns 1 and 3"),
        (
            "id,plan\n1,a\n",
            "crm.csv, line 1: it has no column key; set HEAP_OTHER_KEY to one of its columns, as in id=",
        ),
        (b"key,plan\n1,a\n2,gr\xfcn\n", "crm.csv, line 3, byte 5 of it (0xfc): it is not UTF-8 text"),
        (b"k\xe9y,plan\n1,a\n", "crm.csv, line 1, byte 2 of it (0xe9): it is not UTF-8 text"),
        ("key,plan\n1,a\n".encode("utf-16"), "crm.csv, line 1: it is UTF-16 text"),
        ("key,plan\n1,a\n".encode("utf-16-le"), "crm.csv, line 1: a NUL byte"),
        ("key,plan\n1,é".encode()[:-1], "crm.csv, line 2: it ends within a letter"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_line_and_cause(tmp_path, content, said):
    with pytest.raises(SourceError) as error:
        read(csv_of(tmp_path, content))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("lines", [20_000, 400_000])
def test_a_late_mistake_is_found_on_its_line(tmp_path, lines):
    rows = b"".join(b"%d,abc\n" % n for n in range(lines))
    with pytest.raises(SourceError, match=rf"crm.csv, line {lines + 2}, byte 2 of it \(0xff\)"):
        read(csv_of(tmp_path, b"key,plan\n" + rows + b"x\xff,y\n"))
    with pytest.raises(SourceError, match=f"crm.csv, line {lines + 2}: it has 3 columns"):
        read(csv_of(tmp_path, b"key,plan\n" + rows + b"x,y,z\n"))


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_a_key_of_any_type_is_text_and_no_value_is_rounded(tmp_path, kind):
    numbers = f"{'9' * 23}::HUGEINT"
    values = (
        f"SELECT {numbers} AS huge, 1.10::DECIMAL(5, 2) AS cents, TRUE AS flag, 19::BIGINT AS whole, 0.1 + 0.2 AS sum"
    )
    path = tmp_path / f"shop.{kind}"
    if kind == "parquet":
        with duckdb.connect() as connection:
            connection.execute(f"COPY (SELECT huge::VARCHAR AS huge, * EXCLUDE huge FROM ({values})) TO '{path}'")
    else:
        with duckdb.connect(path) as connection:
            connection.execute(f"CREATE TABLE crm AS {values}")
    expected = {"huge": "9" * 23, "cents": "1.10", "flag": "true", "whole": "19"}
    for column, text in expected.items():
        found = read(path, column, kind, ("main", "crm") if kind == "duckdb" else ())
        assert found[column].to_list() == [text]
        assert found["huge"].to_list() == ["9" * 23]


def test_what_is_no_parquet_is_told_in_one_line(tmp_path):
    path = tmp_path / "crm.parquet"
    path.write_text("key\n1\n")
    with pytest.raises(SourceError, match="The table crm of HEAP_OTHER_TABLE cannot be read: ") as error:
        read(path, kind="parquet")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"cannot be read: .*No such file"):
        read(tmp_path / "gone.csv")
