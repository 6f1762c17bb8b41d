"""The house rules that a reader may rely on: who imports whom, how modules begin, what lies where.

Here: rules over the source text. Not here: style, which the linter holds.
"""

import ast
import graphlib
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
MAY_IMPORT = {
    # a room: the rooms and single modules of ours that its modules may import; none stands in a circle
    "addresses": set(),
    "errors": set(),
    "limits": set(),
    "schema": set(),
    "expressions.polars": {"schema"},
    "expressions.duckdb": {"schema"},
    "transforms": {"expressions.polars", "schema"},
    "config": {"errors", "schema"},
    "aws": {"errors"},
    "quality": {"schema"},
    "alerts": {"errors"},
    "sources": {"addresses", "aws", "errors"},
    "sources.heap": {"errors", "schema", "sources"},
    "sources.external": {"errors", "expressions.duckdb", "places", "schema"},
    "sample": set(),
    "lake": {"aws", "errors", "limits", "schema"},
    "targets": {"schema"},
    "targets.duckdb": {"errors", "expressions.duckdb", "schema", "targets"},
    "report": {"config", "schema"},
    "models": {"config", "schema", "transforms"},
    "engines": set(),
    "places": {"addresses", "errors"},
    "disk_errors": {"errors"},
    "settings": {"aws", "config", "errors", "limits", "places", "sources.external"},
    "pipeline.ledger": {"errors", "lake", "sources.heap"},
    "pipeline.opening": {"addresses", "aws", "lake", "sample", "settings", "sources", "targets.duckdb"},
    "pipeline.progress": set(),
    "pipeline.turns": {"lake", "pipeline.opening", "settings"},
    "pipeline.landing": {
        *("pipeline.ledger", "pipeline.opening", "pipeline.progress", "pipeline.turns"),
        *("errors", "lake", "places", "schema", "settings", "sources", "sources.heap", "transforms"),
    },
    "pipeline.resolve": {
        *("pipeline.ledger", "config", "expressions.polars", "lake", "limits", "schema", "sources.heap", "transforms"),
    },
    "pipeline.build": {
        *("pipeline.ledger", "pipeline.resolve", "config", "engines", "expressions.polars", "lake", "limits"),
        "models",
        *("schema", "sources.external", "transforms"),
    },
    "pipeline.inspect": {
        *("pipeline.build", "pipeline.damage", "pipeline.ledger", "pipeline.resolve", "models", "config"),
        *("errors", "lake", "quality", "schema", "sources.heap", "transforms"),
    },
    "pipeline.publish": {
        *("pipeline.build", "pipeline.ledger", "pipeline.resolve", "models", "config"),
        *("lake", "report", "schema", "settings", "targets", "targets.duckdb"),
    },
    "pipeline.damage": {
        *("pipeline.build", "pipeline.ledger", "pipeline.resolve", "disk_errors", "errors", "lake", "sources.heap"),
    },
    "pipeline.derived_state": {"pipeline.build", "pipeline.inspect", "pipeline.resolve", "lake"},
    "pipeline.checking": {
        *("pipeline.damage", "pipeline.landing", "pipeline.ledger", "pipeline.resolve", "config", "lake", "sources"),
        "sources.heap",
    },
    "pipeline.registry": {
        *("pipeline.damage", "pipeline.landing", "pipeline.ledger", "pipeline.resolve", "config", "errors", "lake"),
        *("models", "schema", "sources.heap"),
    },
    "pipeline.last_known": {
        *("pipeline.opening", "pipeline.registry", "config", "errors", "lake", "settings", "sources.external"),
    },
    "pipeline.maintenance": {"pipeline.build", "pipeline.ledger", "pipeline.resolve", "lake", "sources.heap"},
    "pipeline.sync": {
        *("pipeline.build", "pipeline.checking", "pipeline.damage", "pipeline.derived_state", "pipeline.inspect"),
        *("pipeline.landing", "pipeline.last_known", "pipeline.ledger", "pipeline.maintenance", "pipeline.opening"),
        *("pipeline.progress", "pipeline.publish", "pipeline.registry", "pipeline.resolve", "pipeline.turns"),
        *("config", "disk_errors", "engines", "errors", "lake", "settings", "sources"),
    },
}
ABOVE = {"cli", "definitions", "defs"}
MOST_FILES = 16
NOT_PUBLIC = (
    *("event_log_storage", "report_dagster_event", "report_run_failed", "report_run_canceled", "add_run_tags"),
    *("get_records_for_run", "run_retries_enabled", "get_freshness_state_records", "from_config", "asset_graph"),
    *("asset_layer", "get_subset", "remote_job_origin"),
)
"""What Dagster does not document of the objects that it hands out, as far as anybody here was tempted."""
NEVER_IMPORTED_BY_TRANSFORMS = {"os", "sys", "pathlib", "io", "time", "random", "uuid", "tempfile", "logging", "duckdb"}
NEVER_ASKED_BY_TRANSFORMS = r"open|now|today|utcnow|collect|(read|scan|write|sink)_\w+"


@dataclass(frozen=True)
class Module:
    """A module of ours: its dotted name below the package, and its text."""

    name: str
    text: str

    @property
    def room(self) -> str:
        """The name in the list of who may import whom: of the pipeline and of what has sides, the folder below too."""
        top, *below = self.name.split(".")
        longer = ".".join([top, *below[:1]])
        return longer if longer in MAY_IMPORT else top

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
        """Return the modules of the package that are imported."""
        names = {name.removeprefix("heap_assets.") for name in self.imports() if name.startswith("heap_assets.")}
        return {name for name in names if name in known_modules()}


@cache
def modules() -> tuple[Module, ...]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return tuple(
        Module(".".join(path.relative_to(PACKAGE).with_suffix("").parts), path.read_text(encoding="utf-8"))
        for path in paths
    )


@cache
def known_modules() -> dict[str, Module]:
    return {module.name.removesuffix(".__init__"): module for module in modules() if module.name != "__init__"}


def rooms_imported(module: Module) -> set[str]:
    return {known_modules()[name].room for name in module.ours() if not known_modules()[name].name.endswith("__init__")}


def found(pattern: str, module: Module) -> bool:
    return re.search(pattern, module.text) is not None


def test_only_defs_and_the_entry_know_dagster():
    knowing = {module.name for module in modules() if any(name.split(".")[0] == "dagster" for name in module.imports())}
    assert {name for name in knowing if not name.startswith("defs.")} <= {"definitions"}
    of_dagster = [module for module in modules() if re.search(r"\bdagster_\w+", module.text)]
    assert {module.name.split(".")[0] for module in of_dagster} <= {"defs"}


def test_private_names_of_dagster_are_in_one_module():
    private = {m.name: [name for name in m.imports() if re.match(r"dagster\w*\._", name)] for m in modules()}
    assert [name for name, found in private.items() if found] == ["defs.internals"]
    used = {m.name for m in modules() if m.room == "defs" and re.search(rf"\.({'|'.join(NOT_PUBLIC)})\b", m.text)}
    assert used == {"defs.internals"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_point_down_only(room):
    wrong = {m.name: rooms_imported(m) - MAY_IMPORT[room] - {room} for m in modules() if m.room == room}
    assert wrong
    assert {name: more for name, more in wrong.items() if more} == {}


def test_every_room_says_whom_it_may_import_and_no_more_than_it_does():
    assert {module.room for module in modules() if not module.name.endswith("__init__")} == MAY_IMPORT.keys() | ABOVE
    for room, may in MAY_IMPORT.items():
        assert may == set().union(*(rooms_imported(module) for module in modules() if module.room == room)) - {room}


def test_there_is_no_circle_among_rooms_or_modules():
    graphlib.TopologicalSorter(MAY_IMPORT).prepare()
    graphlib.TopologicalSorter({name: module.ours() - {name} for name, module in known_modules().items()}).prepare()


def test_the_sample_is_known_to_the_command_line_and_to_the_embedded_default_alone():
    users = {module.name for module in modules() if "sample" in rooms_imported(module) and module.room != "sample"}
    assert users == {"cli.commands", "pipeline.opening"}


def test_a_room_has_as_many_files_as_a_person_keeps_in_mind():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    files = {str(folder): len([*folder.glob("[!_]*.py")]) for folder in folders}
    assert {folder: number for folder, number in files.items() if number > MOST_FILES} == {}


def test_the_command_line_knows_dagster_only_through_the_runs():
    (cli,) = (module for module in modules() if module.name == "cli.commands")
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


def test_every_module_that_is_named_in_a_docstring_or_comment_is_there():
    there = [f"/{path.relative_to(ROOT).as_posix()}" for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    named = {(m.name, name) for m in modules() for name in re.findall(r"[\w/]+\.py\b", m.text)}
    assert {one for one in named if not any(path.endswith(f"/{one[1]}") for path in there)} == set()


def test_no_module_is_a_notebook_of_intentions():
    assert [
        module.name for module in modules() if re.search(r"\b(TODO|FIXME|XXX|HACK)\b|# ?[-=*#]{4,}", module.text)
    ] == []


def test_no_test_patches_a_private_constant_of_the_package():
    tests = (ROOT / "heap_assets_tests").rglob("test_*.py")
    patched = {path.name for path in tests if re.search(r"setattr\(\w+, \"_[A-Z]", path.read_text(encoding="utf-8"))}
    assert patched == set()


def test_the_top_of_the_repository_has_only_what_belongs_there():
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert visible - ALLOWED_AT_THE_TOP == set()


def test_every_way_to_start_dagster_names_the_same_module_and_location():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    (loaded,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert loaded["python_module"]["module_name"] == project["code_location_target_module"]
    assert loaded["python_module"]["location_name"] == project["code_location_name"]
