"""The house rules that a reader may rely on: who imports whom, how modules begin, what lies where.

Here: rules over the source text. Not here: style, which the linter holds.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "heap_assets"
MOST_LINES = 250
MOST_HEAD_LINES = 8
ALLOWED_AT_THE_TOP = {
    "pyproject.toml",
    "heap_assets",
    "heap_assets_tests",
    "workspace.yaml",
    "dagster.yaml",
    "README.md",
    "uv.lock",
    "LICENSE",
}
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base", "core"}
CATALOGUE = {"catalog", "models", "analytics_models", "columns", "documented_columns", "shapes", "labeled"}
CATALOGUE |= {"labeled_columns", "names", "errors", "other_table"}
ROOMS = {
    "aws",
    "config",
    "export",
    "lake",
    "transforms",
    "warehouse",
    "pipeline",
    "quality",
    "alerts",
    "report",
    "defs",
}

MAY_IMPORT = {
    # a room: the rooms and single modules of ours that its modules may import
    "transforms": {"transforms", "catalog", "columns", "documented_columns", "shapes", "labeled", "names"},
    "config": {"config", "errors", "labeled", "names"},
    "aws": {"aws", "errors"},
    "export": {"export", "addresses", "aws", "catalog", "columns", "errors", "labeled", "names"},
    "lake": {"lake", "aws", "columns", "errors"},
    "warehouse": {"warehouse", *CATALOGUE},
    "quality": {"quality", "catalog", "columns", "documented_columns"},
    "alerts": {"alerts", "errors"},
    "report": {"report", "config", "warehouse", *CATALOGUE},
    "pipeline": {*CATALOGUE, *ROOMS, "addresses", "disk_errors", "places", "settings"} - {"defs"},
}
NEVER_IMPORTED_BY_TRANSFORMS = {"os", "sys", "pathlib", "io", "time", "random", "uuid", "tempfile", "logging", "duckdb"}
NEVER_ASKED_BY_TRANSFORMS = r"open|now|today|utcnow|collect|(read|scan|write|sink)_\w+"


@dataclass(frozen=True)
class Module:
    """A module of ours: its dotted name below the package, and its text."""

    name: str
    text: str

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imports(self) -> Iterator[str]:
        """Yield what is imported anywhere in the module, as dotted names."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield f"{'.' * node.level}{node.module or ''}"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def ours(self) -> set[str]:
        """Return the rooms and single modules of the package that are imported."""
        return {name.split(".")[1] for name in self.imports() if name.startswith("heap_assets.")} & (
            ROOMS | {path.stem for path in PACKAGE.glob("*.py")}
        )


@cache
def modules() -> tuple[Module, ...]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return tuple(
        Module(".".join(path.relative_to(PACKAGE).with_suffix("").parts), path.read_text(encoding="utf-8"))
        for path in paths
    )


def found(pattern: str, module: Module) -> bool:
    return re.search(pattern, module.text) is not None


def test_only_defs_and_the_entry_know_dagster():
    knowing = {module.name for module in modules() if any(name.split(".")[0] == "dagster" for name in module.imports())}
    assert {name for name in knowing if not name.startswith("defs.")} <= {"definitions"}
    of_dagster = [module for module in modules() if re.search(r"\bdagster_\w+", module.text)]
    assert {module.room for module in of_dagster} <= {"defs"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_point_down_only(room):
    wrong = {module.name: module.ours() - MAY_IMPORT[room] for module in modules() if module.room == room}
    assert {name: more for name, more in wrong.items() if more} == {}


def test_nothing_below_imports_the_command_line_or_the_definitions():
    above = {"cli", "terminal", "definitions", "defs"}
    users = {module.name: module.ours() & above for module in modules() if module.room not in above}
    assert {name: used for name, used in users.items() if used} == {}


def test_the_command_line_knows_dagster_only_through_the_runs():
    (cli,) = (module for module in modules() if module.name == "cli")
    assert {name for name in cli.imports() if name.startswith("heap_assets.defs")} == {
        "heap_assets.defs.runs",
        "heap_assets.defs.runs.run_sync_job",
    }


def test_transforms_are_pure():
    for module in modules():
        if module.room == "transforms":
            assert not {name.split(".")[0] for name in module.imports()} & NEVER_IMPORTED_BY_TRANSFORMS, module.name
            asked = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
            asked |= {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
            assert [name for name in asked if re.fullmatch(NEVER_ASKED_BY_TRANSFORMS, name)] == [], module.name


def test_no_module_is_longer_than_a_person_reads_at_once():
    assert {
        module.name: len(module.text.splitlines()) for module in modules() if module.text.count("\n") > MOST_LINES
    } == {}


def test_every_module_begins_with_what_is_here_in_a_few_lines():
    heads = {
        module.name: ast.get_docstring(module.tree) for module in modules() if not module.name.endswith("__init__")
    }
    assert [name for name, head in heads.items() if not head] == []
    assert [name for name, head in heads.items() if head and len(head.splitlines()) > MOST_HEAD_LINES] == []


def test_no_module_catches_whatever_comes():
    blind = r"except\s*(\(\s*)?(Base)?Exception\b|except\s*:"
    assert {module.name for module in modules() if found(blind, module)} == set()


def test_dagster_sees_real_annotations():
    assert [module.name for module in modules() if module.room == "defs" and "from __future__" in module.text] == []


def test_names_say_what_is_in_them():
    parts = {part for module in modules() for part in module.name.split(".")}
    assert parts & SAY_NOTHING == set()
    classes = {node.name for module in modules() for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)}
    assert [name for name in classes if name.endswith(("Manager", "Helper", "Utils"))] == []


def test_no_module_is_a_notebook_of_intentions():
    assert [
        module.name for module in modules() if re.search(r"\b(TODO|FIXME|XXX|HACK)\b|# ?[-=*#]{4,}", module.text)
    ] == []


def test_the_top_of_the_repository_has_only_what_belongs_there():
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert visible - ALLOWED_AT_THE_TOP == set()


def test_every_way_to_start_dagster_names_the_same_module_and_location():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    (loaded,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert loaded["python_module"]["module_name"] == project["code_location_target_module"]
    assert loaded["python_module"]["location_name"] == project["code_location_name"]
