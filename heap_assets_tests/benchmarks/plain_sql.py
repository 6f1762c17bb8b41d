"""The models of the dbt project as plain SQL: a statement per model, in the order in which they need each other.

Here: what dbt would fill into a first run (ref, var, config, env_var), so that both peers run the same SQL. Not here:
the SQL (dbt_project/), running it (sql_peers.py), a run after the first one, which is dbt's alone.
"""

from pathlib import Path
from typing import Any

import jinja2
import yaml

PROJECT = Path(__file__).parent / "dbt_project"


def statements(raw: Path, *, migrated_as: str) -> list[tuple[str, str]]:
    """Return name and statement of each model; the migrated tables are made as ``view``, or as ``table``."""
    return _Project(raw, migrated_as).statements()


class _Project:
    def __init__(self, raw: Path, migrated_as: str) -> None:
        described = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
        self._variables: dict[str, Any] = described["vars"]
        self._models = {path.stem: path for path in sorted((PROJECT / "models").rglob("*.sql"))}
        self._materialized = {"migrated": migrated_as, "heap": "table"}
        self._environment = jinja2.Environment(autoescape=False)  # noqa: S701 (SQL, no page)
        macros = sorted((PROJECT / "macros").glob("*.sql"))
        self._macros = "".join(path.read_text(encoding="utf-8") for path in macros)
        self._raw = raw
        self._made: dict[str, str] = {}

    def statements(self) -> list[tuple[str, str]]:
        for name in self._models:
            self._make(name)
        return list(self._made.items())

    def _make(self, name: str) -> str:
        """Return the name of a model's relation; its statement comes after those of the models that it names."""
        path = self._models[name]
        relation = f"{path.parent.name}.{name}"
        if name in self._made:
            return relation
        config = {"materialized": self._materialized[path.parent.name]}
        template = self._environment.from_string(self._macros + path.read_text(encoding="utf-8"))
        select = template.render(
            ref=self._make,
            var=self._variables.__getitem__,
            env_var={"HEAP_PEER_RAW": str(self._raw)}.__getitem__,
            config=lambda **given: config.update(given) or "",
            is_incremental=lambda: False,
            load_relation=lambda _: None,
            this=None,
        )
        self._made[name] = f"CREATE {config['materialized'].upper()} {relation} AS {select.strip()}"
        return relation
