"""What the lake holds of the deliveries that count: those that are committed and whole, those that it has lost.

The ledger says what has landed, the tables' logs what is committed, the disk what is there; a power cut can leave them
apart. A delivery that is lost is landed again like one that never came, and what follows from the tables is computed
again then, for rows may come under the same ids. Here: looking. Not here: landing (landing.py).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.progress import Progress
from heap_assets.sources.heap.manifest import Dump
from heap_assets.sources.heap.truth import DumpDelivery, current_deliveries, tables_with_files


class Derived(Protocol):
    """What was computed from the raw tables, as far as landing has to know it."""

    def deliveries(self) -> Mapping[str, frozenset[str]]:
        """Return the deliveries of each table that it was computed from."""
        ...

    def forget(self) -> None:
        """Have everything computed again."""
        ...

    def begin_again(self) -> str | None:
        """Leave what cannot be read or is of an earlier version; return why everything is computed again."""
        ...


class HeldDeliveries:
    """The tables of the lake, opened once and mended where a power cut has torn a log."""

    def __init__(
        self,
        storage: Storage,
        ledger: Ledger,
        progress: Progress,
        *,
        tables: dict[str, LandedTable],
        derived: Derived,
    ) -> None:
        self._storage, self._progress, self._tables, self._derived = storage, progress, tables, derived
        self._landed = {
            (item.delivery.table, item.dump.delivery_id)
            for items in current_deliveries(ledger.dumps.values()).values()
            for item in items
        }
        self._undone: dict[str, frozenset[str]] = {}
        self._lost: dict[int, dict[str, str]] = {}

    def table(self, name: str) -> LandedTable:
        """Return a table."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = LandedTable(self._storage, name)
            if aside := table.mend():
                self._progress.note(f"{table.address}: set aside what cannot be read of the log: {', '.join(aside)}")
                self._derived.forget()
        return table

    def missing(
        self, accepted: Iterable[Dump], *, reland: Collection[int], done: Collection[tuple[str, int]]
    ) -> list[DumpDelivery]:
        """Return the deliveries that make up the tables after these dumps and that the lake does not hold, or lost.

        Those of the dumps in ``reland`` are missing in any case, those that are ``done`` (table, dump) in none.
        """
        accepted, known, missing = tuple(accepted), sum(map(len, self._lost.values())), []
        for name in tables_with_files(accepted):
            self.table(name)  # one that was emptied is read as well
        for name, items in current_deliveries(accepted).items():
            asked = [item for item in items if item.delivery.file_count and (name, item.dump.dump_id) not in done]
            if asked:
                held = self._held(name, asked)
                missing += [item for item in asked if item.dump.dump_id in reland or item.dump.delivery_id not in held]
        if sum(map(len, self._lost.values())) > known or (missing and self._is_state_of_lost_deliveries()):
            self._derived.forget()
        return missing

    def _is_state_of_lost_deliveries(self) -> bool:
        """Return whether tables were resolved with a delivery that is not committed: the ledger may not know it now."""
        return any(
            not deliveries <= self.table(name).deliveries() for name, deliveries in self._derived.deliveries().items()
        )

    def _held(self, name: str, asked: Collection[DumpDelivery]) -> frozenset[str]:
        """Return the deliveries of a table that are committed and whole; note those that are lost."""
        table = self.table(name)
        committed = table.deliveries()
        harmed = {file.delivery: file.path for file in table.lost_files({item.dump.delivery_id for item in asked})}
        undone = self._undone.setdefault(name, table.undone())
        for item in asked:
            delivery = item.dump.delivery_id
            if delivery in harmed:
                self._put_down(item, f"{self._storage.address(harmed[delivery])} is gone or not whole")
            elif delivery in undone or (delivery not in committed and (name, delivery) in self._landed):
                self._put_down(item, f"its commit is gone from {table.address}/_delta_log")
        return committed - harmed.keys() - undone

    def _put_down(self, item: DumpDelivery, what: str) -> None:
        lost = self._lost.setdefault(item.dump.dump_id, {})
        if item.delivery.table not in lost:
            lost[item.delivery.table] = f"table {item.delivery.table}: {what}"
            self._progress.note(f"dump {item.dump.dump_id}, {lost[item.delivery.table]}; it is landed again")

    def lost(self, dump_id: int) -> str:
        """Return what the lake has lost of a dump, table by table; nothing if it has not."""
        return "; ".join(self._lost.get(dump_id, {}).values())

    def settle(self, accepted: Iterable[Dump], dump_ids: Collection[int], *, done: Collection[tuple[str, int]]) -> None:
        """Return when what was committed of these dumps before, by a run that was killed, survives a power cut."""
        for name, items in current_deliveries(accepted).items():
            left = {
                item.dump.delivery_id
                for item in items
                if item.delivery.file_count and item.dump.dump_id in dump_ids and (name, item.dump.dump_id) not in done
            }
            if left:
                self.table(name).settle(left)
