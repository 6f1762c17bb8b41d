"""Which changes are told, as a table over time; what a message says; what waits for a destination."""

import pytest

from heap_assets.alerts.delivery import Destination
from heap_assets.alerts.message import MOST_LETTERS, FailedRun, Message, change_message, run_message
from heap_assets.alerts.outbox import MOST_WAITING, posted
from heap_assets.alerts.transitions import QUIET_S, Change, Told, Watched, changes

P, W, F = "passed", "warning", "failed"
UI = "http://dagster.example.com"


def told_over_time(*looks: tuple[float, str | None]) -> list[tuple[float, str]]:
    """Return when which level is told, of one thing that is looked at; None: it is at work."""
    told: dict[str, Told] = {}
    out = []
    for now, level in looks:
        seen = [] if level is None else [Watched(name="x", level=level)]
        found, told = changes(told, seen, now=now)
        out += [(now, change.now.level) for change in found]
    return out


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([(0, P)], []),
        ([(0, F)], [(0, F)]),
        ([(0, P), (30, W), (60, W), (90, W)], [(30, W)]),
        ([(0, W), (30, F), (60, P)], [(0, W), (30, F), (60, P)]),
        ([(0, F), (30, None), (60, F)], [(0, F)]),
        ([(0, F), (30, None), (60, P)], [(0, F), (60, P)]),
        ([(n * 30, F if n % 2 else P) for n in range(12)], [(30, F), (60, P)]),
        ([(0, F), (30, P), (60, F), (60 + QUIET_S, F)], [(0, F), (30, P), (60 + QUIET_S, F)]),
        ([(0, F), (30, P), (60, F), (90, P), (60 + QUIET_S, P)], [(0, F), (30, P)]),
        ([(0, F), (QUIET_S, F)], [(0, F)]),
    ],
    ids=[
        "well",
        "bad",
        "once",
        "worse and well",
        "at work",
        "mended",
        "flapping",
        "stays bad",
        "well in the end",
        "still",
    ],
)
def test_what_is_told_of_one_thing(looks, told):
    assert told_over_time(*looks) == told


def change(name: str = "heap/orders key_unique", before: str = P, after: str = F, **more: object) -> Change:
    return Change(before=before, now=Watched(name=name, level=after, path="/assets/heap/orders?view=checks", **more))


def test_a_change_says_what_it_is_about_which_keys_and_where_to_look():
    message = change_message(
        [change(told="Dump 2: 120 of 120 rows lack an id.", keys=("event_id=0", "event_id=1"))], UI
    )
    assert message.title == "heap_assets: FAILED heap/orders key_unique"
    assert message.level == F
    assert message.body == (
        "OK -> FAILED heap/orders key_unique: Dump 2: 120 of 120 rows lack an id. Rows: event_id=0; event_id=1\n"
        f"{UI}/assets/heap/orders?view=checks"
    )


def test_a_recovery_is_told_too():
    message = change_message([change(before=F, after=P, told="Each row has a key of its own.")], UI)
    assert message.title == "heap_assets: OK heap/orders key_unique"
    assert message.body.startswith("FAILED -> OK heap/orders key_unique")


def test_many_changes_are_one_bounded_message_with_the_worst_first():
    found = [change(name=f"t{n}", after=W, told="word " * 200) for n in range(300)] + [change(name="zz", after=F)]
    message = change_message(found, UI)
    assert message.title == "heap_assets: 1 FAILED, 300 WARNING"
    assert message.body.startswith("OK -> FAILED zz")
    assert len(message.body) < MOST_LETTERS + 100
    few = change_message(found[-12:], UI)
    assert "and 2 more" in change_message([change(name=f"t{n}") for n in range(12)], UI).body
    assert few.level == F


def test_failed_runs_are_told_with_their_link():
    message = run_message([FailedRun(run_id="abc", job="heap_sync", told="land: no bucket\nsays S3 " * 100)], UI)
    assert message.title == "heap_assets: run of heap_sync failed"
    assert message.body.endswith(f"…\n{UI}/runs/abc")
    assert run_message([FailedRun(run_id=str(n), job="j", told="") for n in range(30)], UI).title.endswith(
        "30 runs failed"
    )


A, B = Destination("json://a/secret"), Destination("json://b/secret")
M1, M2 = (Message(title=title, body="", level=F) for title in ("one", "two"))


class Post:
    """Takes messages, except for destinations that are down."""

    def __init__(self, *down: Destination) -> None:
        self.down, self.taken, self.tried = set(down), [], 0

    def __call__(self, message: Message, destination: Destination) -> bool:
        self.tried += 1
        if destination in self.down:
            return False
        self.taken.append((message.title, destination))
        return True


def test_each_destination_gets_each_message_once_though_another_is_down():
    post = Post(B)
    waiting = posted((), [M1, M2], [A, B], deliver=post, now=0)
    assert post.taken == [("one", A), ("two", A)]
    assert post.tried == 3
    assert [one.message.title for one in waiting] == ["one", "two"]
    waiting = posted(waiting, [], [A, B], deliver=post, now=10)
    assert post.tried == 3
    post.down.clear()
    assert posted(waiting, [], [A, B], deliver=post, now=30) == ()
    assert post.taken[2:] == [("one", B), ("two", B)]


def test_a_destination_that_stays_down_is_asked_ever_less_often_and_little_is_kept():
    post, waiting, now = Post(A), posted((), [M1] * 80, [A], deliver=Post(A), now=0), 0
    assert len(waiting) == MOST_WAITING
    pauses = []
    for _ in range(9):
        now = waiting[0].due if waiting[0].attempts else now + 1
        waiting = posted(waiting, [], [A], deliver=post, now=now)
        pauses.append(waiting[0].due - now)
    assert post.tried == 9
    assert pauses[0] < pauses[1] < pauses[3]
    assert pauses[-1] == 1800


def test_what_waits_for_a_destination_that_is_configured_no_more_is_given_up():
    waiting = posted((), [M1], [A, B], deliver=Post(A, B), now=0)
    assert [one.destination for one in posted(waiting, [], [B], deliver=Post(B), now=0)] == [B.name]


def test_the_name_of_a_destination_tells_it_from_others_and_nothing_of_its_secret():
    assert A.name != B.name
    assert A.name.startswith("json-")
    assert "secret" not in A.name + repr(A)
