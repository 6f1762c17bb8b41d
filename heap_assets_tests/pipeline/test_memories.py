"""What a run leaves for the next can be lost, torn or of an older version of the code: the tables stay the same."""

import json
from pathlib import Path

import pytest

from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.published import published_by, run, sync_of

TRUTH = "ledger.json"


def orders(*ids: int):
    return data_file("event_id:long user_id:long session_id:long time", *((n, n, n, "2026-01-01") for n in ids))


def another(path: Path) -> None:
    """Leave what another version of the code may have left: one thing is called otherwise."""
    left = json.loads(path.read_text())

    def renamed(value):
        if isinstance(value, dict):
            return {f"{name}_": renamed(inner) for name, inner in value.items()}
        return [renamed(inner) for inner in value] if isinstance(value, list) else value

    path.write_text(json.dumps(renamed(left)))


def torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("harmed", [another, torn, Path.unlink])
def test_a_run_whose_memories_are_useless_ends_in_the_same_tables(tmp_path, harmed):
    users = data_file("user_id:long last_modified plan", (1, "2026-01-01", "gold"), (2, "2026-01-02", None))
    first = {"orders": orders(1, 2), "users": users, "user_migrations": data_file("from_user_id:long to_user_id:long")}
    second = {"orders": orders(2, 3), "user_migrations": data_file("from_user_id:long to_user_id:long", (1, 2))}
    (tmp_path / "crm.csv").write_text("email\nx@y.example\n")
    told = {}
    for place in ("whole", "harmed"):
        export, home = tmp_path / place / "export", tmp_path / place / "home"
        export.mkdir(parents=True)
        sync = sync_of(export, home, HEAP_OTHER_TABLE=str(tmp_path / "crm.csv"), HEAP_OTHER_KEY="email=email")
        write_dump(export, dump(1, first))
        run(sync)
        sync.maintain()
        memories = sorted(set((home / "lake").glob("*.json")) - {home / "lake" / TRUTH})
        assert len(memories) >= 7
        for memory in memories if place == "harmed" else ():
            harmed(memory)
        write_dump(export, dump(2, second))
        again = sync_of(export, home, HEAP_OTHER_TABLE=str(tmp_path / "crm.csv"), HEAP_OTHER_KEY="email=email")
        assert len(again.registry().tables) == 3  # of a registry that is lost the ledger tells
        run(again)
        again.maintain()
        told[place] = published_by(again)
    assert differences(told["whole"], told["harmed"]) == []
