"""Releases of DuckDB before 2 open the published file and read in every table and view what DuckDB 2 reads.

Here: the file as it is published, of the sample and of an export with odd names and every form of definition. Not here:
clients that write (test_clients.py).
"""

import json
import shutil
from pathlib import Path

import pytest

from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import configured, run, sync_of
from heap_assets_tests.targets.duckdb.releases import releases

EVERYTHING = """
import duckdb, hashlib, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
names = connection.execute("SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL").fetchall()
quoted = lambda name: '"' + name.replace('"', '""') + '"'
read = {}
for schema, name in names:
    rows = connection.execute(f"SELECT * FROM {quoted(schema)}.{quoted(name)}").fetchall()
    read[f"{schema}.{name}"] = [len(rows), hashlib.sha256("".join(sorted(map(repr, rows))).encode()).hexdigest()]
print(json.dumps(read))
"""
OPERATORS = {
    "=": "a", "!=": "a", "contains": "a", "notcontains": "a", "matches": "a*b?_%", "notmatches": "*", "isdef": None,
    "notdef": None, "includedin": ["a", "b'"], "notincludedin": ["a"], "<": "5", "<=": 5, ">": "1e1", ">=": "x",
}  # fmt: skip
TIME = "2024-03-11T09:00:00.123456Z"
ODD = ('odd "name"/a.b\'c', "注文 é", "select")


def odd_export(root: Path) -> Path:
    def clause(operator: str, value: object) -> dict:
        return {"property_name": "plan", "operator": operator, "value": {"type": "constant", "value": value}}

    definitions = [
        {
            "property_name": f"is {operator}",
            "type": kind,
            "cases": [
                {
                    "value": {"type": "field", "value": "price"},
                    "condition": {"clauses": {"A": clause(operator, value)}, "formula": "A"},
                }
            ],
            "default_value": {"type": "constant", "value": "none"},
        }
        for kind in ("user", "event")
        for operator, value in OPERATORS.items()
    ]
    columns = "event_id:long user_id:long session_id:long time plan price:double flag:boolean PLAN"
    rows = [
        (n, n % 3, n, TIME, plan, n / 3, n % 2 == 0, "x") for n, plan in enumerate(["a", "ab", None, "5", "b'", ""])
    ]
    tables = {name: data_file(columns, *rows) for name in ODD}
    tables["sessions"] = data_file(
        "session_id:long event_id:long user_id:long time referrer plan", *((n, n, n, TIME, None, "a") for n in range(4))
    )
    tables["pageviews"] = data_file(
        "event_id:long user_id:long session_id:long time path", *((n + 50, n, n, TIME, "/") for n in range(4))
    )
    tables["users"] = data_file(
        "user_id:long last_modified plan price:double", *((n, TIME, "a", 1.5) for n in range(3))
    )
    tables["user_migrations"] = data_file("from_user_id:long to_user_id:long", (1, 2))
    write_dump(root, dump(1, tables, definitions=json.dumps(definitions)))
    write_dump(root, dump(2, {ODD[0]: data_file("event_id:long user_id:long time plan:long", (1, 1, None, 7))}))
    return root


@pytest.mark.parametrize(("series", "facts"), [("1.1", "views"), ("1.4", "views"), ("1.4", "tables")])
def test_an_old_release_reads_every_table_and_view_as_the_newest_does(tmp_path, series, facts):
    old, newest = releases(series), releases("2")
    write_sample(tmp_path / "sample", SampleSize(users=40, days=3))
    for root in (tmp_path / "sample", odd_export(tmp_path / "odd")):
        home = tmp_path / f"home {root.name}"
        home.mkdir()
        packaged = {"HEAP_CONFIG": ""} if root.name == "sample" else {"HEAP_CONFIG": str(configured(home))}
        sync = sync_of(root, home, HEAP_FACTS_AS=facts, **packaged)
        assert run(sync).failures == ()
        run(sync)  # on a copy of the file that the first one published
        file = sync.settings.duckdb_path
        elsewhere = Path(shutil.copy(file, tmp_path / f"another name {series}.duckdb"))
        expected = json.loads(newest.run(EVERYTHING, str(file)))
        assert len(expected) > 30
        for place in (file, elsewhere):
            assert json.loads(old.run(EVERYTHING, str(place))) == expected
