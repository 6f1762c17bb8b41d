import hashlib
import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import fastavro
import polars as pl
import polars_avro
import pytest
from polars.testing import assert_frame_equal

from heap_assets.sample.calendar import Calendar, dump_ids
from heap_assets.sample.draws import Draws, Kind, bits, weighted
from heap_assets.sample.export import Sample, write_sample
from heap_assets.sample.files import write_avro
from heap_assets.sample.size import SampleSize
from heap_assets.schema.names import table_name
from heap_assets.sources.heap.manifest import read_manifest
from heap_assets.sources.heap.property_definitions import parse_definitions

SIZE = SampleSize(users=500, days=30, end=date(2026, 6, 30))
HALF_AN_HOUR = 30 * 60_000
NOT_EVENTS = {"users", "user_migrations", "_event_metadata"}


class Export:
    """The sample as its readers see it: manifests first."""

    def __init__(self, root: Path, written: Sample) -> None:
        self.root = root
        self.written = written
        self.manifests = {
            dump_id: json.loads((root / f"manifests/sync_{dump_id}.json").read_text()) for dump_id in written.dump_ids
        }

    def listed(self, dump_id: int, table: str) -> dict | None:
        return next((entry for entry in self.manifests[dump_id]["tables"] if entry["name"] == table), None)

    def paths(self, dump_id: int, table: str) -> list[Path]:
        entry = self.listed(dump_id, table)
        prefix = "s3://heap-rs3-sample/"
        return [self.root / key.removeprefix(prefix) for key in entry["files"]] if entry else []

    @cache  # noqa: B019 - one export in the session
    def of_dump(self, dump_id: int, table: str) -> pl.DataFrame:
        frames = [polars_avro.read_avro(path) for path in self.paths(dump_id, table)]
        frames = [frame.with_columns(dump_id=pl.lit(dump_id, dtype=pl.Int64)) for frame in frames]
        return pl.concat(frames) if frames else pl.DataFrame()

    @cache  # noqa: B019 - as above
    def of_all(self, table: str, *columns: str) -> pl.DataFrame:
        frames = [self.of_dump(dump_id, table) for dump_id in self.manifests]
        frames = [frame.select("dump_id", *columns) if columns else frame for frame in frames if frame.width]
        return pl.concat(frames, how="diagonal_relaxed")

    @property
    def event_tables(self) -> set[str]:
        tables = {entry["name"] for manifest in self.manifests.values() for entry in manifest["tables"]}
        return tables - NOT_EVENTS - {"sessions", "pageviews"}

    def current(self, table: str) -> pl.DataFrame:
        rows = self.of_all(table)
        return rows.unique(subset=["event_id", "user_id"], keep="last", maintain_order=True)


def milliseconds(column: str = "time") -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%d %H:%M:%S%.3f").dt.epoch("ms")


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    root = tmp_path_factory.mktemp("sample")
    return Export(root, write_sample(root, SIZE))


def test_the_same_size_gives_the_same_bytes_and_times_whether_written_together_or_apart(export, tmp_path):
    ids = dump_ids(SIZE)
    later = write_sample(tmp_path, SIZE, only=ids[5:])
    first = write_sample(tmp_path, SIZE, only=set(ids[:5]))
    assert contents(tmp_path) == contents(export.root)
    assert (first.dump_ids, later.dump_ids) == (ids[:5], ids[5:])
    assert first.events + later.events == export.written.events
    assert first.users + later.users == export.written.users


def test_another_seed_gives_another_sample(tmp_path):
    for seed in (1, 2):
        write_sample(tmp_path / str(seed), SampleSize(users=20, days=6, dumps=1, seed=seed))
    first, second = (contents(tmp_path / str(seed)) for seed in (1, 2))
    assert set(first) != set(second)
    ids = [
        polars_avro.read_avro(tmp_path.glob(f"{seed}/sync_996/users/*.avro").__next__())["user_id"] for seed in (1, 2)
    ]
    assert not set(ids[0]) & set(ids[1])


def test_rows_do_not_change_with_a_library_release(tmp_path):
    written = write_sample(tmp_path, SampleSize(users=12, days=9))
    rows = sorted(
        json.dumps(row, ensure_ascii=False)
        for path in tmp_path.glob("sync_*/*/*.avro")
        for row in polars_avro.read_avro(path).to_dicts()
    )
    assert written == Sample((996, 998, 1000, 1003), 365, 30)
    assert hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16] == "9ea5c642225ea479"


def test_bytes_do_not_depend_on_how_a_frame_lies_in_memory(tmp_path):
    parts = [pl.DataFrame({"event_id": range(start, start + 5)}) for start in (0, 5)]
    for name, frame in (("a", pl.concat(parts, rechunk=False)), ("b", pl.concat(parts, rechunk=True))):
        write_avro(tmp_path / name / "part.avro", frame, moment=0)
    assert (tmp_path / "a/part.avro").read_bytes() == (tmp_path / "b/part.avro").read_bytes()


def test_dump_ids_are_known_beforehand_have_gaps_and_pass_a_power_of_ten(export):
    ids = dump_ids(SIZE)
    assert ids == export.written.dump_ids == tuple(export.manifests)
    assert list(ids) == sorted(ids)
    assert ids[-1] - ids[0] > len(ids)
    assert sorted(map(str, ids)) != [str(dump_id) for dump_id in ids]


def test_manifests_are_well_formed_and_list_every_file(export):
    listed = set()
    for dump_id, manifest in export.manifests.items():
        text = (export.root / f"manifests/sync_{dump_id}.json").read_bytes()
        assert read_manifest(text, key="key", modified=datetime.now(UTC)).dump_id == dump_id
        assert manifest["property_definitions"].endswith(f"/sync_{dump_id}/property_definitions.json")
        for entry in manifest["tables"]:
            for path in export.paths(dump_id, entry["name"]):
                listed.add(path)
                assert path.parent.name == entry["name"]
                if path.suffix == ".avro":
                    assert polars_avro.read_avro(path).columns == entry["columns"]
    assert listed == {path for path in export.root.glob("sync_*/*/*") if path.is_file()}
    assert not list(export.root.rglob("*.tmp"))
    assert {path.stem for path in export.root.glob("sync_reports/*")} == {
        f"sync_{dump_id}" for dump_id in dump_ids(SIZE)
    }


def test_files_have_the_times_of_their_dump(export):
    for dump in Calendar(SIZE).dumps:
        finished = (export.root / f"manifests/sync_{dump.dump_id}.json").stat().st_mtime
        times = [path.stat().st_mtime for path in export.root.glob(f"sync_{dump.dump_id}/**/*") if path.is_file()]
        assert dump.until / 1000 < min(times) <= max(times) < finished == dump.finished / 1000
        report = json.loads((export.root / f"sync_reports/sync_{dump.dump_id}.json").read_text())
        assert report["finish_time"] == dump.finished > report["start_time"]


@pytest.mark.parametrize("dump", [0, -1])
def test_both_avro_readers_read_every_table_alike(export, dump):
    for entry in list(export.manifests.values())[dump]["tables"]:
        for path in export.paths(dump_ids(SIZE)[dump], entry["name"])[:1]:
            if path.suffix != ".avro":
                continue
            with path.open("rb") as file:
                reader = fastavro.reader(file)
                assert reader.codec == "snappy"
                assert reader.writer_schema["name"] == "topLevelRecord"
                rows = list(reader)
            frame = polars_avro.read_avro(path)
            assert_frame_equal(pl.DataFrame(rows, schema=frame.schema), frame)


def test_on_file_hears_of_every_data_file_with_its_rows(tmp_path):
    heard = []
    written = write_sample(
        tmp_path, SampleSize(users=30, days=5, dumps=2), on_file=lambda path, rows: heard.append((path, rows))
    )
    assert {path for path, _ in heard} == set(tmp_path.glob("sync_*/*/*.avro")) - set(tmp_path.glob("*/_event*/*"))
    assert sum(rows for path, rows in heard if path.parent.name not in NOT_EVENTS) == written.events


def test_ids_are_whole_numbers_below_2_to_the_53_and_belong_to_one_thing(export):
    migrations = export.of_all("user_migrations")
    users = set(export.of_all("users")["user_id"]) | set(migrations["from_user_id"]) | set(migrations["to_user_id"])
    sessions = export.current("sessions")
    events = [set(export.of_all(table)["event_id"]) for table in export.event_tables - {"sale_page_view"}]
    kinds = [users, set(sessions["session_id"]), set(sessions["event_id"]), set(export.of_all("pageviews")["event_id"])]
    kinds += events
    assert sum(map(len, kinds)) == len(set.union(*kinds))
    assert all(0 < value < 2**53 for kind in kinds for value in kind)
    assert sessions.group_by("session_id").agg(pl.col("event_id").n_unique())["event_id"].max() == 1
    assert export.written.users == len(set(export.of_all("users")["user_id"]))


def test_identifiers_never_collide():
    numbers = pl.int_range(200_000, dtype=pl.UInt64, eager=True)
    ids = [pl.select(Draws(3).identifier(kind, pl.lit(numbers))).to_series() for kind in (Kind.DEVICE, Kind.EVENT)]
    assert pl.concat(ids).n_unique() == 400_000


def test_merges_chain_conflict_and_circle(export):
    merges = export.of_dump(dump_ids(SIZE)[-1], "user_migrations")
    assert all(export.listed(dump_id, "user_migrations")["incremental"] is False for dump_id in export.manifests)
    heights = [export.of_dump(dump_id, "user_migrations").height for dump_id in export.manifests]
    assert heights == sorted(heights)
    chained = merges.join(merges, left_on="to_user_id", right_on="from_user_id")
    assert chained.filter(pl.col("from_user_id") != pl.col("to_user_id_right")).height > 10
    assert merges.group_by("from_user_id").agg(pl.col("to_user_id").n_unique()).filter(pl.col("to_user_id") > 1).height
    assert chained.filter(pl.col("from_user_id") == pl.col("to_user_id_right")).height >= 2
    assert merges.filter(pl.col("from_user_id") == pl.col("to_user_id")).height == 1
    assert merges.filter(pl.col("time") == 0).height
    assert merges.group_by("to_user_id").len().filter(pl.col("len") > 1).height > 10


def test_users_appear_when_their_first_session_begins_and_are_known_by_their_events(export):
    sessions = export.of_all("sessions").filter(milliseconds() < Calendar(SIZE).dumps[-1].until)
    began = sessions.group_by("user_id").agg(time=milliseconds().min())
    users = export.of_all("users").filter(pl.col("identity").is_null()).unique("user_id")
    both = users.join(began, on="user_id")
    assert both.height > 500
    assert (both["joindate"] == both["time"]).mean() > 0.97  # the others' clocks are wrong, or the first rows come late
    everybody = set(export.of_all("users")["user_id"])
    assert set(export.of_all("pageviews")["user_id"]) <= everybody
    assert set(export.of_all("support_ticket")["user_id"]) <= everybody


def test_users_change_and_are_sent_again(export):
    users = export.of_all("users")
    assert users["joindate"].dtype == users["last_modified"].dtype == pl.Int64
    assert users["joindate"].min() > 1_700_000_000_000
    assert set(users["plan"]) >= {None, "free", "plus", "gold"}
    changed = users.group_by("user_id").agg(pl.col("plan").drop_nulls().n_unique(), pl.col("last_modified").n_unique())
    assert changed.filter((pl.col("plan") > 1) & (pl.col("last_modified") > 1)).height > 10
    later = users.sort("dump_id", maintain_order=True).group_by("user_id", "dump_id", maintain_order=True)
    newest = later.agg(pl.col("last_modified").max()).with_columns(
        before=pl.col("last_modified").shift().over("user_id")
    )
    assert (newest["last_modified"] >= newest["before"].fill_null(0)).all()
    assert (newest["last_modified"] == newest["before"]).any()
    within = users.group_by("user_id", "dump_id").agg(pl.col("last_modified").n_unique())
    assert within["last_modified"].max() > 1


def test_rows_come_twice_within_a_dump_and_again_in_a_later_one_sometimes_under_the_identified_user(export):
    rows = export.of_all("pageviews")
    within = rows.group_by("event_id", "dump_id").len()
    assert 0 < (within["len"] > 1).mean() < 0.02
    again = rows.group_by("event_id").agg(
        pl.col("dump_id", "user_id", "city").n_unique(), users=pl.col("user_id").unique()
    )
    assert again.filter((pl.col("dump_id") > 1) & (pl.col("user_id") == 1) & (pl.col("city") > 1)).height
    renamed = again.filter(pl.col("user_id") > 1)
    assert renamed.height
    merges = export.of_dump(dump_ids(SIZE)[-1], "user_migrations")
    assert set(renamed["users"].explode()) <= set(merges["from_user_id"]) | set(merges["to_user_id"])


def test_events_come_late_and_from_the_future(export):
    dumps = {dump.dump_id: dump for dump in Calendar(SIZE).dumps}
    sessions = export.of_all("sessions").with_columns(moment=milliseconds())
    first = sessions.sort("dump_id", maintain_order=True).unique("session_id", keep="first", maintain_order=True)
    after = first["dump_id"].replace_strict({dump_id: dump.after for dump_id, dump in dumps.items()})
    until = first["dump_id"].replace_strict({dump_id: dump.until for dump_id, dump in dumps.items()})
    assert 0 < (first["moment"] < after).mean() < 0.02
    ahead = first.filter(first["moment"] > until + 86_400_000)
    assert 0 < ahead.height / first.height < 0.01


def test_properties_come_go_and_change_their_type(export):
    ids = list(export.manifests)

    def types(table, column):
        frames = [export.of_dump(dump_id, table) for dump_id in ids]
        return [frame.schema.get(column) for frame in frames if frame.width]

    assert list(dict.fromkeys(types("order_completed", "amount"))) == [pl.Int64, pl.Float64]
    assert list(dict.fromkeys(types("product_view", "variant"))) == [pl.Int64, pl.String]
    assert list(dict.fromkeys(types("pageviews", "experiment"))) == [None, pl.String]
    assert list(dict.fromkeys(types("product_view", "list_name"))) == [pl.String, None]
    assert list(dict.fromkeys(types("users", "newsletter"))) == [None, pl.Boolean]


def test_one_event_is_resynced_one_archived_one_comes_later_one_is_slow(export):
    ids = list(export.manifests)
    flags = [export.listed(dump_id, "newsletter_click")["incremental"] for dump_id in ids]
    resync = flags.index(False, 1)
    assert flags[0] is False
    assert flags.count(False) == 2
    before = pl.concat([export.of_dump(dump_id, "newsletter_click") for dump_id in ids[:resync]], how="diagonal")
    whole = export.of_dump(ids[resync], "newsletter_click")
    assert set(whole.columns) - set(before.columns) == {"link_position"}
    kept = set(whole["event_id"]) & set(before["event_id"])
    assert kept < set(before["event_id"])
    assert set(whole.filter(milliseconds() < milliseconds().min() + 10 * 86_400_000)["event_id"]) - kept

    def presence(table):
        return [export.listed(dump_id, table) is not None for dump_id in ids]

    archived, added = presence("banner_click"), presence("wishlist_add")
    assert archived == sorted(archived, reverse=True)
    assert added == sorted(added)
    assert (archived[0], archived[-1], added[0], added[-1]) == (True, False, False, True)
    assert export.listed(ids[added.index(True)], "wishlist_add")["incremental"] is False
    assert export.of_dump(ids[added.index(True)], "wishlist_add").height > 50
    assert not all(presence("support_ticket"))


def test_fewer_people_reach_each_step_of_the_funnel(export):
    steps = ["product_view", "add_to_cart", "checkout_start", "order_completed"]
    users = [export.current(step)["user_id"].n_unique() for step in steps]
    rows = [export.current(step).height for step in steps]
    assert users == sorted(users, reverse=True)
    assert rows == sorted(rows, reverse=True)
    assert 0.02 < rows[-1] / rows[0] < 0.2
    orders = export.current("order_completed").with_columns(order=milliseconds()).select("session_id", "order")
    carts = export.current("checkout_start").with_columns(checkout=milliseconds()).select("session_id", "checkout")
    both = orders.join(carts, on="session_id").unique()
    assert (both["order"] > both["checkout"]).all()


def test_a_few_people_have_many_events(export):
    counts = export.current("pageviews").group_by("user_id").len().sort("len", descending=True)["len"]
    tenth = len(counts) // 10
    assert counts.head(tenth).sum() / counts.sum() > 0.3
    assert counts.median() < counts.mean()
    assert 20 < export.written.events / SIZE.users < 60


def test_sessions_have_several_pageviews_and_some_long_pauses(export):
    pageviews = (
        export.current("pageviews")
        .unique("event_id")
        .select("session_id", moment=milliseconds())
        .sort("session_id", "moment")
    )
    gaps = pageviews.select(gap=pl.col("moment").diff().over("session_id")).drop_nulls()["gap"]
    assert 0 < (gaps > HALF_AN_HOUR).mean() < 0.05
    assert gaps.min() > 0
    assert pageviews.group_by("session_id").len()["len"].mean() > 2
    sessions = export.current("sessions").select("session_id", began=milliseconds())
    both = pageviews.group_by("session_id").agg(first=pl.col("moment").min()).join(sessions, on="session_id")
    assert (both["first"] >= both["began"]).all()


def test_every_default_channel_occurs(export):
    lower = {name: pl.col(name).str.to_lowercase().fill_null("") for name in
             ("utm_medium", "utm_source", "referrer", "landing_page_query")}  # fmt: skip
    medium, source, referrer, query = lower.values()
    untagged = (medium == "") & (source == "")
    channel = (
        pl.when(medium.str.contains("cpc") & (source == "facebook")).then(pl.lit("Facebook Paid"))
        .when(source.str.contains("bing") & medium.str.contains("cpc")).then(pl.lit("Paid Bing Search"))
        .when((medium.str.contains("cpc") | query.str.contains("gclid")) & referrer.str.contains("google"))
        .then(pl.lit("Paid Google Search"))
        .when(referrer.is_in(["", "direct"]) & untagged).then(pl.lit("Direct"))
        .when(referrer.str.contains("google|bing|yahoo|duckduckgo") & untagged).then(pl.lit("Organic Search"))
        .when(referrer.str.contains(r"^https://([^/]*\.)?shop\.example\.com(/|$)")).then(pl.lit("Self-referral"))
        .otherwise(pl.lit("Unattributed"))
    )  # fmt: skip
    found = Counter(export.current("sessions").select(channel=channel)["channel"].to_list())
    assert len(found) == 7
    assert min(found.values()) > 5


def test_server_side_events_have_sessions_of_their_own_or_none(export):
    tickets = export.of_all("support_ticket")
    assert set(tickets["library"]) == {"server"}
    assert 0 < tickets["session_id"].null_count() < tickets.height
    assert not set(tickets["session_id"].drop_nulls()) & set(export.of_all("sessions")["session_id"])
    assert "session_id" not in export.of_all("plan_charged").columns
    assert set(export.of_all("sessions")["library"]) == {"web", "ios"}


def test_a_labeled_page_shares_its_events_with_pageviews(export):
    assert set(export.current("sale_page_view")["event_id"]) <= set(export.current("pageviews")["event_id"])


def test_event_metadata_comes_as_json_lines_and_as_avro_and_names_the_synced_events(export):
    suffixes = set()
    for dump_id in export.manifests:
        [path] = export.paths(dump_id, "_event_metadata")
        suffixes.add(path.suffix)
        rows = polars_avro.read_avro(path) if path.suffix == ".avro" else pl.read_ndjson(path)
        assert rows["last_updated_at"].str.contains(r"^\d{13}$").all()
        synced = export.event_tables & {entry["name"] for entry in export.manifests[dump_id]["tables"]}
        assert synced <= set(rows["table_name"])
        assert all(table_name(ui) == table for ui, table in rows.select("ui_name", "table_name").iter_rows()
                   if table != "newsletter_click")  # fmt: skip
    assert suffixes == {".json", ".avro"}


def test_property_definitions_are_understood_and_change_once(export):
    texts = [(export.root / f"sync_{dump_id}/property_definitions.json").read_bytes() for dump_id in export.manifests]
    assert len(set(texts)) == 2
    for text in set(texts):
        parsed = parse_definitions(text)
        assert not parsed.skipped
        assert [definition.name for definition in parsed.definitions] == ["marketing_channel", "tier"]


def test_the_last_dump_can_be_given_a_share_of_people_and_events(tmp_path):
    size = SampleSize(users=3000, days=12, dumps=2, last_dump_share=0.05)
    first, last = dump_ids(size)
    whole = write_sample(tmp_path, size, only=[first])
    part = write_sample(tmp_path, size, only=[last])
    assert 0.03 < part.events / whole.events < 0.15
    export = Export(tmp_path, Sample((first, last), 0, 0))
    people = export.of_dump(last, "sessions")["user_id"].n_unique()
    assert 0.03 < people / size.users < 0.07
    assert export.of_dump(last, "user_migrations").height >= export.of_dump(first, "user_migrations").height
    assert all(entry["incremental"] for entry in export.manifests[last]["tables"] if entry["name"] != "user_migrations")


def test_one_dump_holds_everything_if_so_wished(tmp_path):
    size = SampleSize(users=10, days=1, dumps=1)
    assert len(dump_ids(size)) == 1
    assert write_sample(tmp_path, size).events > 10


@pytest.mark.parametrize("wrong", [
    {"users": 0}, {"days": 0}, {"dumps": 0}, {"last_dump_share": 0.9}, {"last_dump_share": 0.1, "dumps": 1},
    {"last_dump_visits": 13}, {"last_dump_merging": 1.5},
])  # fmt: skip
def test_an_impossible_size_is_refused(wrong):
    with pytest.raises(ValueError, match=r"at least 1|at most|from 0 to 1"):
        SampleSize(**({"users": 10, "days": 10} | wrong))


def test_more_dumps_than_hours_are_refused():
    with pytest.raises(ValueError, match="99 dumps do not fit"):
        dump_ids(SampleSize(users=1, days=4, dumps=99))


def test_unknown_dumps_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no such dumps: \[5\]"):
        write_sample(tmp_path, SIZE, only=[5])
    assert not list(tmp_path.iterdir())


def test_draws_use_the_bits_they_say():
    number = pl.select(bits(pl.lit(0b1011_0000, dtype=pl.UInt64), 4, 8)).item()
    assert number == 0b011
    assert weighted([1, 2]).to_list() == [0, 1, 1]
