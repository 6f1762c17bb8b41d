"""The state that runs leave can be lost, torn or of another version of the code: the tables stay the same."""

import json
from pathlib import Path

import pytest

from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.published import published_by, run, sync_of


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


def newer(path: Path) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": document["version"] + 1}))


def parts_of_another(path: Path) -> None:
    """Leave a document of our version whose parts are of another one."""
    document = json.loads(path.read_text())
    path.write_text(
        json.dumps({**document, "parts": {name: {"another": part} for name, part in document["parts"].items()}})
    )


@pytest.mark.parametrize("harmed", [another, newer, parts_of_another, torn, Path.unlink])
def test_a_run_whose_state_is_useless_ends_in_the_same_tables(tmp_path, harmed):
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
        state = home / "lake" / "state.json"
        assert len(json.loads(state.read_text())["parts"]) == 8
        if place == "harmed":
            harmed(state)
        write_dump(export, dump(2, second))
        again = sync_of(export, home, HEAP_OTHER_TABLE=str(tmp_path / "crm.csv"), HEAP_OTHER_KEY="email=email")
        assert len(again.registry().tables) == 3  # of a registry that is lost the ledger tells
        run(again)
        again.maintain()
        told[place] = published_by(again)
    assert differences(told["whole"], told["harmed"]) == []
