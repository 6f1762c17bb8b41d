"""Who a user is after all merges: chains followed to their end, cycles cut at their newest edge.

Here: a set of migrations in, a map out. Not here: which migrations count as delivered (truth.py).
"""

from collections.abc import Iterable
from datetime import datetime

from heap_assets_tests.oracles.typing_rules import EPOCH

Migration = tuple[int, int, datetime | None]  # from, to, time


def identity_map(migrations: Iterable[Migration]) -> dict[int, int]:
    """Return each migrated user with the user that it ends as.

    >>> identity_map([(1, 2, None), (2, 3, None), (4, 4, None)])
    {1: 3, 2: 3}
    """
    edges = _one_edge_per_user(migrations)
    for cycle in _cycles({start: to for start, (to, _) in edges.items()}):
        newest = max(cycle, key=lambda user: (*_age(edges[user][1]), user))
        del edges[newest]
    return {user: _end_of_chain(user, edges) for user in sorted(edges)}


def _one_edge_per_user(migrations: Iterable[Migration]) -> dict[int, tuple[int, datetime | None]]:
    edges: dict[int, tuple[int, datetime | None]] = {}
    for start, to, time in migrations:
        if start == to:
            continue
        if start not in edges or (*_age(time), to) > (*_age(edges[start][1]), edges[start][0]):
            edges[start] = (to, time)
    return edges


def _age(time: datetime | None) -> tuple[bool, datetime]:
    return (time is not None, time or EPOCH)


def _cycles(targets: dict[int, int]) -> list[set[int]]:
    cycles = []
    for start in targets:
        way = [start]
        while way[-1] in targets and targets[way[-1]] not in way:
            way.append(targets[way[-1]])
        if targets.get(way[-1]) == start and set(way) not in cycles:
            cycles.append(set(way))
    return cycles


def _end_of_chain(user: int, edges: dict[int, tuple[int, datetime | None]]) -> int:
    while user in edges:
        user = edges[user][0]
    return user
