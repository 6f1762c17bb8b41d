"""Whose export a lake holds: recorded with the first landing, and compared before anything else is read from one.

Two exports in one lake would replace each other's dumps, which bear the same numbers. Here: the identity, and the
refusal of another export's. Not here: where exports lie (addresses.py), what has landed (ledger.py).
"""

from pathlib import Path

from heap_assets.errors import SettingsError
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.opening import make_sample, open_export, sample_is_missing
from heap_assets.pipeline.progress import Progress
from heap_assets.pipeline.turns import Turns
from heap_assets.places import is_s3
from heap_assets.settings import Settings
from heap_assets.sources.heap.arrivals import manifest_content, manifest_files
from heap_assets.sources.source import Source

SAMPLE = "the embedded sample"


def export_identity(settings: Settings) -> str:
    """Return what is recorded of the export that the settings name: an address, or that it is the embedded sample."""
    uri = settings.source_uri
    if is_s3(uri):
        return uri
    folder = Path(uri).resolve()
    return SAMPLE if folder == settings.sample_path.resolve() else str(folder)


def refuse_other_export(settings: Settings, ledger: Ledger) -> None:
    """Do nothing if the lake holds this export, none yet, or one that was not recorded.

    Raises:
        SettingsError: The lake holds another export; names both.
    """
    if ledger.export not in {None, export_identity(settings)}:
        raise _refusal(settings, str(ledger.export))


def refuse_unknown_export(settings: Settings, ledger: Ledger, source: Source) -> None:
    """Do nothing unless dumps have landed of an export that was not recorded, and this does not seem to be it.

    Raises:
        SettingsError: None of the manifests that have landed lies in the export.
    """
    if ledger.export is None and ledger.dumps and not _holds_a_landed_manifest(source, ledger):
        raise _refusal(settings, "dumps of an export that was not recorded, none of whose manifests is there")


def _refusal(settings: Settings, held: str) -> SettingsError:
    export = export_identity(settings)
    named = export if settings.export_uri else f"not set, which stands for {export}"
    return SettingsError(
        f"HEAP_EXPORT_URI is {named}, but the lake {settings.lake_uri} holds {held}. One lake holds one export: set"
        " HEAP_HOME (and HEAP_LAKE_URI, if you set it) to another place. If it is the same export that now lies there,"
        " run: heap-assets sync --export-moved"
    )


def open_own_export(settings: Settings, ledger: Ledger, progress: Progress, turns: Turns) -> Source:
    """Return the export that the lake holds; the embedded sample is made if it is that and is not there yet.

    Raises:
        SettingsError: The settings name another export.
    """
    refuse_other_export(settings, ledger)
    if sample_is_missing(settings):
        progress.note(f"no HEAP_EXPORT_URI: making a sample export in {settings.sample_path}")
        with turns.at_home("sample"):
            make_sample(settings)
    source = open_export(settings)
    refuse_unknown_export(settings, ledger, source)
    return source


def _holds_a_landed_manifest(source: Source, ledger: Ledger) -> bool:
    """Return whether any manifest that has landed lies in the export with the same content."""
    seen = {manifest.key: manifest.digest for manifest in ledger.manifests}
    return any(manifest_content(source, file).digest == seen.get(file.key) for file in manifest_files(source))
