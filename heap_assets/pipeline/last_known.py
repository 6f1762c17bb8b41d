"""What definitions are made of: known tables, limits of freshness, another table; with a copy in HEAP_HOME.

Each part is read for itself. One that cannot be read, be it for a wrong setting or a lake that does not answer, is as
it was last known, and what is wrong is said: no asset and no policy is dropped without a word. Here: reading, the copy.
Not here: the check that fails meanwhile (defs/checks/completeness.py).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from heap_assets.config.durations import duration_text
from heap_assets.config.load import load_configuration
from heap_assets.config.model import Freshness, FreshnessLimits
from heap_assets.errors import HeapAssetsError
from heap_assets.lake.state import is_lost
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.opening import open_storage
from heap_assets.pipeline.registry import Registry, known_registry, read_registry
from heap_assets.settings import Settings, read_home, read_settings
from heap_assets.sources.external.table import ExternalTable

_COPY = "definitions.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What definitions need; ``lake`` is where the registry lies, ``wrong`` what could not be read: as last known."""

    lake: str = ""
    registry: Registry = field(default_factory=Registry)
    freshness: Freshness = field(default_factory=Freshness)
    external: ExternalTable | None = None
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """The copy: limits as the configuration writes them, the other table without its address."""

    lake: str
    registry: Registry
    default: tuple[str, str]
    limits: Mapping[str, tuple[str, str]]
    external: ExternalTable | None


_DOCUMENT = TypeAdapter(_Copy)


def read_known(environment: Mapping[str, str]) -> Known:
    """Return what there is now, each part that cannot be read as it was known last; nothing is written."""
    before = _copied(environment)
    try:
        settings = read_settings(environment)
    except HeapAssetsError as error:
        return replace(before, wrong=(str(error),))
    known = Known(lake=settings.lake_uri, external=settings.external)
    try:
        known = replace(known, freshness=load_configuration(settings.config_path).freshness)
    except HeapAssetsError as error:
        known = replace(known, freshness=before.freshness, wrong=(*known.wrong, str(error)))
    same = before.registry if before.lake == settings.lake_uri else Registry()
    try:
        storage = open_storage(settings)
        registry = known_registry(storage)
        landed = read_registry(storage) if registry is None else registry  # of a lake of an earlier version
    except HeapAssetsError as error:
        return replace(known, registry=same, wrong=(*known.wrong, str(error)))
    if registry is None and same.tables:
        lost = f"{settings.lake_uri}: the list of its tables is gone; run heap_sync, which writes it again."
        return replace(known, registry=same, wrong=(*known.wrong, lost))
    return replace(known, registry=landed)


def keep_known(settings: Settings, storage: Storage) -> None:
    """Keep a copy of what there is now, if all of it can be read: a run calls this, definitions only read."""
    registry = None if is_lost(storage) else known_registry(storage)
    if registry is None:
        return
    freshness = load_configuration(settings.config_path).freshness
    left = _Copy(
        lake=settings.lake_uri,
        registry=registry,
        default=_texts(freshness.default),
        limits={name: _texts(freshness.limits_of(name)) for name in freshness.tables},
        external=None if settings.external is None else _without_address(settings.external),
    )
    copy, content = settings.home / _COPY, _DOCUMENT.dump_json(left)
    if copy.exists() and copy.read_bytes() == content:
        return
    beside = copy.with_name(f"{_COPY}.{uuid.uuid4().hex}.tmp")
    beside.write_bytes(content)
    beside.replace(copy)


def _without_address(external: ExternalTable) -> ExternalTable:
    """Return what an asset needs of the table: its address may hold a password, and is not kept."""
    return replace(external, place="" if external.table else Path(external.place).name)


def _texts(limits: FreshnessLimits) -> tuple[str, str]:
    return duration_text(limits.warn), duration_text(limits.fail)


def _limits(texts: tuple[str, str]) -> Mapping[str, str]:
    return dict(zip(("warn", "fail"), texts, strict=True))


def _copied(environment: Mapping[str, str]) -> Known:
    """Return the copy; nothing if there is none, or none that can be read, which the next run replaces."""
    try:
        copy = read_home(environment) / _COPY
        if not copy.exists():
            return Known()
        left = _DOCUMENT.validate_json(copy.read_bytes())
        limits = {name: _limits(texts) for name, texts in left.limits.items()}
        freshness = Freshness.model_validate({"default": _limits(left.default), "tables": limits})
    except (HeapAssetsError, OSError, ValidationError, RuntimeError):
        return Known()
    return Known(lake=left.lake, registry=left.registry, freshness=freshness, external=left.external)
