"""Under which names the delivered tables are published.

Not here: the names of columns (table_schema.py), the rule for names that clash (names.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heap_assets.schema.heap_tables import BUILT_IN, USERS, raw_table
from heap_assets.schema.names import published_names
from heap_assets.schema.own_tables import ALL_EVENTS, IDENTITY_MAP, OURS_IN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTables:
    """The name under which each delivered table is published, in each of the two schemas."""

    in_s: Mapping[str, str]
    in_migrated: Mapping[str, str]


def published_tables(delivered: Iterable[str], *, segments: Iterable[str] = ()) -> PublishedTables:
    """Return the published name of each delivered table.

    Heap's own tables keep their names. A name that is one of ours gets a suffix where it meets ours: ``identity_map``
    only exists in the schema with migrations, ``_quarantine`` only in the other.
    """
    tables = sorted(set(delivered))
    own = [name for name in tables if name in BUILT_IN]
    events = [name for name in tables if name not in BUILT_IN]
    in_s = published_names(events, reserved=[*own, *OURS_IN_S])
    resolved = [name for name in own if raw_table(name).is_event_like or name == USERS.kind]
    ours = [ALL_EVENTS.name, IDENTITY_MAP.name, *(f"segment_{name}" for name in segments)]
    in_migrated = published_names(events, reserved=[*resolved, *ours])
    kept = {name: name for name in own}
    return PublishedTables(in_s={**kept, **in_s}, in_migrated={**kept, **in_migrated})
