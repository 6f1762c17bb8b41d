"""What was published last, kept with the lake, and where a file may be published.

Here: the outcome as a value, what a place must not be. Not here: publishing (publication.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from heap_assets.config.model import Configuration
from heap_assets.lake.state import Part
from heap_assets.models.catalog import SCHEMA
from heap_assets.pipeline.build import external_data as other_data
from heap_assets.schema.synced_table import SyncedTable
from heap_assets.targets.duckdb import internal_schema
from heap_assets.targets.duckdb.place import refuse_place
from heap_assets.targets.target import PublishedTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What was published, what Heap says of each event table, how far each reaches, and what there is to warn of.

    ``skipped_definitions`` are the property definitions that could not be used, ``warnings`` concern the configuration,
    ``replaced`` is what other people had put into the file before.
    """

    path: Path
    tables: tuple[PublishedTable, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    synced: tuple[SyncedTable, ...] = ()
    skipped_definitions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


KEEP_YOUR_OWN = "each sync replaces the file: open it read-only, and keep tables of your own in another file"
LAST_PUBLICATION: Part[Publication | None] = Part("publication", TypeAdapter(Publication | None), without=None)


def refuse_unusable_place(path: Path, configuration: Configuration) -> None:
    """Do nothing if the file can be published at ``path``.

    Raises:
        SettingsError: It cannot, whatever is in it; says why.
    """
    own = configuration.schema_name, configuration.migrated_schema_name
    refuse_place(path, [*own, SCHEMA, other_data.SCHEMA, internal_schema.SCHEMA])
