"""Which tables have which labeled properties: definitions that use names which some tables deliver and others lack.

Here: published files of whole syncs, by the SQL views and the Polars models alike. Not here: what a clause means
(expressions/test_labeled.py), the grammar (sources/heap/test_property_definitions.py).
"""

import json

import pytest

from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import A, M, configured, published_by, run, sync_of

EVENT = "event_id:long user_id:long session_id:long time:long"
NINE = 1_710_061_200_000
YES = {"type": "constant", "value": "yes"}


def defined(name, *columns, kind="event"):
    """Return a property that is the value of the first column if the others have one, too."""
    clauses = {f"C{place}": {"property_name": column, "operator": "isdef"} for place, column in enumerate(columns)}
    case = {
        "value": {"type": "field", "value": columns[0]},
        "condition": {"clauses": clauses, "formula": " & ".join(clauses)},
    }
    return {"property_name": name, "type": kind, "cases": [case], "default_value": YES}


DEFINITIONS = [
    defined("tier", "plan"),  # delivered by orders and by users, computed elsewhere
    defined("level", "tier"),  # uses it: there alone
    defined("rank", "level"),  # uses one that is computed wherever there is one
    defined("itself", "itself"),
    defined("tier", "plan", kind="user"),
    defined("level", "tier", kind="user"),
    defined("broken", "plan") | {"cases": None},
    defined("of_broken", "broken"),  # orders deliver it
]


@pytest.fixture
def sync(tmp_path):
    tables = {
        "orders": data_file(
            f"{EVENT} tier broken plan", (1, 1, 5, NINE, "gold", "b", "p"), (2, 1, 5, NINE, None, "", "p")
        ),
        "signup": data_file(f"{EVENT} plan", (3, 1, 5, NINE, "free")),
        "sessions": data_file(EVENT, (4, 1, 5, NINE)),
        "users": data_file("user_id:long tier", (1, "silver")),
    }
    write_dump(tmp_path / "export", dump(1, tables, definitions=json.dumps(DEFINITIONS)))
    (tmp_path / "home").mkdir()
    funnel = {"name": "f", "steps": [{"event": "orders", "where": {"level": "gold"}}], "group_by": "level"}
    config = configured(
        tmp_path / "home", funnels=[funnel], segments=[{"name": "silver", "where": {"level": "silver"}}]
    )
    found = sync_of(tmp_path / "export", tmp_path / "home", HEAP_CONFIG=str(config))
    run(found)
    return found


def test_a_definition_uses_what_a_table_delivers_and_is_left_out_where_that_is_computed(sync):
    found = published_by(sync)
    has = {
        name: {"tier", "level", "rank", "itself", "of_broken"} & {*table.columns} for (_, name), table in found.items()
    }
    assert (has["orders"], has["signup"], has["sessions"]) == ({"tier", "level", "of_broken"}, {"tier"}, {"tier"})
    assert has["users"] == has["heap_users"] == {"tier", "level"}
    assert has["all_events"] == {"tier", "level", "of_broken"}
    levels = found[M, "orders"].columns
    assert sorted(row[[*levels].index("level")] for row in found[M, "orders"].rows) == ["gold", "yes"]


def test_the_whole_file_is_that_of_the_oracle(sync, tmp_path):
    keys = json.loads((tmp_path / "home" / "heap.yaml").read_text())
    expected = published_tables(tmp_path / "export", analytics=keys)
    assert differences(expected, published_by(sync)) == []
    groups = [row[2] for row in expected[A, "funnel_users"].rows]
    assert groups == ["gold"]
    assert expected[M, "segment_silver"].rows == [(1,)]


def test_what_is_left_out_is_told_with_the_tables(sync):
    told = sync.last_publication().skipped_definitions
    assert told["level"] == "tier is a computed property itself in sessions, signup"
    assert told["rank"].startswith("level is a computed property itself in ")
    assert told["itself"] == "itself is a computed property itself in orders, sessions, signup, all_events"
    assert told["of_broken"] == "broken is a computed property itself in sessions, signup"
    assert "cases" in told["broken"]
