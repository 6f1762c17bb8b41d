"""What a sync tells whoever watches it.

Here: the events, and a listener that says nothing. Not here: how they are shown (cli/commands.py, defs/).
"""

from typing import Protocol


class Progress(Protocol):
    """Listens to a sync; called from one thread."""

    def planned(self, *, dumps: int, files: int) -> None:
        """Hear how much is to be landed."""

    def files_landed(self, *, table: str, dump_id: int, files: int, rows: int, size: int) -> None:
        """Hear that some files of a delivery are decoded and written."""

    def delivery_landed(self, *, table: str, dump_id: int, rows: int) -> None:
        """Hear that a delivery is committed."""

    def note(self, text: str) -> None:
        """Hear anything else that a person may want to know."""


class Silence:
    """Listens and says nothing."""

    def planned(self, *, dumps: int, files: int) -> None:
        """Ignore it."""

    def files_landed(self, *, table: str, dump_id: int, files: int, rows: int, size: int) -> None:
        """Ignore it."""

    def delivery_landed(self, *, table: str, dump_id: int, rows: int) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""
