"""The check of attribution: how many conversions have more touches than count, after a build and after a refresh."""

import json

import pytest

from heap_assets.pipeline.inspect.touch_check import touch_outcome
from heap_assets.quality.outcome import Verdict
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import configured, published_by, run, sync_of

EVENT = "event_id:long user_id:long session_id:long time:long"
NINE, HOUR = 1_710_061_200_000, 3_600_000
KEYS = {"conversion_events": ["order"], "attribution": {"max_touches": 3}}


def sessions(user, many, first=1):
    """Return rows of sessions of a user, an hour apart."""
    return [(n, user, n, NINE + n * HOUR) for n in range(first, first + many)]


def orders(user, *hours):
    return [(1000 + user * 100 + hour, user, None, NINE + hour * HOUR) for hour in hours]


@pytest.mark.parametrize("max_touches", [3, 4])
def test_conversions_with_more_touches_than_count_are_counted_after_a_refresh_too(tmp_path, max_touches):
    keys = {**KEYS, "attribution": {"max_touches": max_touches}}

    def synced(number, visits, bought):
        tables = {"sessions": data_file(EVENT, *visits), "order": data_file(EVENT, *bought)}
        write_dump(tmp_path / "export", dump(number, tables))
        (tmp_path / "home").mkdir(exist_ok=True)
        sync = sync_of(tmp_path / "export", tmp_path / "home", HEAP_CONFIG=str(configured(tmp_path / "home", **keys)))
        run(sync)
        assert (
            differences(published_tables(tmp_path / "export", analytics=sync_keys(tmp_path)), published_by(sync)) == []
        )
        return touch_outcome(sync.storage, sync.configuration.attribution)

    many = [n for user in range(2, 30) for n in sessions(user, 1, first=100 + user)]
    first = synced(1, [*sessions(1, 3), *many], orders(1, 2, 3, 9))  # 2, 3 and 3 touches
    assert (first.verdict, first.numbers) == (Verdict.PASSED, {"conversions": 3, "cut_conversions": 0, "users": 0})
    second = synced(2, sessions(1, 1, first=4), orders(2, 200))  # the last of three has 4 touches now
    cut = 1 if max_touches == 3 else 0
    assert second.numbers == {"conversions": 4, "cut_conversions": cut, "users": cut}
    assert second.verdict is (Verdict.WARNING if cut else Verdict.PASSED)
    assert list(second.keys) == ["heap_user_id=1, conversions=1, touches=4"] * cut
    assert f"more than {max_touches} touches" in second.message


def sync_keys(folder):
    return json.loads((folder / "home" / "heap.yaml").read_text())
