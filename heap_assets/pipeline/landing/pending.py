"""What an export holds that the lake does not: pending dumps, manifests that cannot be read, sync reports.

Here: comparing export and ledger; nothing is landed, so sensors and ``heap-assets status`` ask here too.
Not here: landing (landing.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heap_assets.errors import SourceError
from heap_assets.pipeline.ledger import Ledger, SeenManifest
from heap_assets.sources.heap.arrivals import (
    MANIFESTS,
    ManifestContent,
    counting_contents,
    manifest_content,
    manifest_files,
)
from heap_assets.sources.heap.manifest import Dump
from heap_assets.sources.heap.sync_reports import SyncReport, read_sync_report
from heap_assets.sources.source import Source

_REPORTS = "sync_reports/"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What the export holds now: the counting content of each dump, every manifest that was read, the sync reports."""

    counting: Mapping[int | None, ManifestContent]
    manifests: tuple[SeenManifest, ...]
    reports: tuple[SyncReport, ...]

    def new_dumps(self, ledger: Ledger) -> dict[int, Dump]:
        """Return the dumps that are not in the ledger with the content that counts now."""
        return {
            dump_id: content.dump
            for dump_id, content in sorted(self.counting.items(), key=lambda item: item[0] or 0)
            if dump_id is not None and content.dump is not None and _is_new(content.dump, ledger.dumps.get(dump_id))
        }

    def broken(self) -> dict[int | None, str]:
        """Return the dumps whose manifest cannot be read, with the reason; None where not even the name tells."""
        return {dump_id: str(content.error) for dump_id, content in self.counting.items() if content.error is not None}


def _is_new(dump: Dump, landed: Dump | None) -> bool:
    return landed is None or landed.delivery_id != dump.delivery_id


def arrivals(source: Source, ledger: Ledger) -> Arrivals:
    """Return what the export holds now; manifests that landed and reports are not read again while they stay.

    Raises:
        SourceError: It cannot be listed, or it has no manifest and nothing of it has landed.
    """
    seen = {(manifest.key, manifest.signature): manifest for manifest in ledger.manifests}
    contents = []
    files = manifest_files(source)
    if not files and not ledger.dumps:  # landed dumps stay when a bucket is cleaned up
        raise SourceError(
            f"{source.uri} has no manifest: there is no {MANIFESTS}*.json, which Heap writes when a dump is complete."
            " Check HEAP_EXPORT_URI: it is the bucket, or the folder or prefix in which manifests/ lies."
        )
    for file in files:
        manifest = seen.get((file.key, file.signature))
        landed = None if manifest is None else ledger.dumps.get(manifest.dump_id)
        if manifest is not None and landed is not None and landed.digest == manifest.digest:
            contents.append(_landed_content(manifest, landed))
        else:
            contents.append(manifest_content(source, file))
    return Arrivals(
        counting=counting_contents(contents, ledger.dumps),
        manifests=tuple(
            SeenManifest(
                key=content.key,
                signature=content.signature,
                modified=content.modified,
                dump_id=content.dump.dump_id,
                digest=content.digest,
            )
            for content in contents
            if content.dump is not None
        ),
        reports=_reports(source, ledger),
    )


def _landed_content(manifest: SeenManifest, landed: Dump) -> ManifestContent:
    return ManifestContent(
        key=manifest.key,
        signature=manifest.signature,
        modified=manifest.modified,
        dump_id=manifest.dump_id,
        digest=manifest.digest,
        dump=landed,
    )


def _reports(source: Source, ledger: Ledger) -> tuple[SyncReport, ...]:
    """Return every report that is or was there: a bucket is cleaned up, the history stays."""
    known = {(report.key, report.signature): report for report in ledger.reports}
    reports = {report.key: report for report in ledger.reports}
    for file in source.objects(_REPORTS):
        if file.key.endswith(".json"):
            reports[file.key] = known.get((file.key, file.signature)) or read_sync_report(
                source.read(file.key), key=file.key, signature=file.signature, modified=file.modified
            )
    return tuple(reports[key] for key in sorted(reports))
