"""A model's version changes with its rule: else a lake keeps what the rule of before built.

Here: the code of each rule against what ``versions.json`` recorded of the version. After raising a version:
``python -m heap_assets_tests.models.test_versions`` records it.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import heap_assets
from heap_assets.config.load import configuration_from_text
from heap_assets.models.catalog import recipes, unconfigured
from heap_assets.models.recipe import Recipe

PACKAGE = Path(heap_assets.__file__).parent
RECORDED = Path(__file__).with_name("versions.json")
FOLLOWED = ("heap_assets.models.", "heap_assets.transforms.", "heap_assets.expressions.polars.")
SEGMENT = configuration_from_text("segments: [{name: one, did: signup}]", name="heap.yaml")


def every_recipe() -> dict[str, Recipe]:
    """Return every recipe by the name of the model; all segments have one rule."""
    inputs = unconfigured([])
    found = recipes(type(inputs)(configuration=SEGMENT, events=inputs.events, event_tables=()))
    return {recipe.model.name: recipe for recipe in found}


def code_of(recipe: Recipe) -> str:
    """Return a digest of the code that a recipe's rows follow from: its module, and the rules that this imports."""
    seen: dict[str, str] = {}
    rules = [recipe.counting.count, recipe.counting.rows] if recipe.counting else [recipe.transform]
    waiting = sorted({rule.__module__ for rule in rules})
    while waiting:
        module = waiting.pop()
        if module not in seen:
            tree = ast.parse((PACKAGE.parent / f"{module.replace('.', '/')}.py").read_text())
            seen[module] = ast.unparse(without_words(tree))
            waiting += [name for name in imported(tree) if name.startswith(FOLLOWED) and not is_values(name)]
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()[:16]


def is_values(module: str) -> bool:
    """Return whether a module declares what recipes and key figures are: no rule."""
    return module in {"heap_assets.models.recipe", "heap_assets.models.key_figures"}


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def without_words(tree: ast.Module) -> ast.Module:
    """Return code without docstrings, and without what is only declared or shown of a model."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not is_words(one)] or [ast.Pass()]
    return tree


def is_words(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == "_key_figures"
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        return getattr(node.value.func, "id", "") in {"Model", "CatalogEntry"}
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def recorded() -> dict[str, dict[str, str | int]]:
    return json.loads(RECORDED.read_text())


@pytest.mark.parametrize("name", every_recipe())
def test_a_rule_that_changed_has_another_version(name):
    recipe, before = every_recipe()[name], recorded()[name]
    if code_of(recipe) != before["code"]:
        assert recipe.version != before["version"], (
            f"the code that {name} follows from changed: raise its version in heap_assets/models,"
            " then run python -m heap_assets_tests.models.test_versions"
        )
    assert {"version": recipe.version, "code": code_of(recipe)} == before, "record the new version"


def test_no_version_is_recorded_of_a_model_that_is_gone():
    assert recorded().keys() == every_recipe().keys()


def test_another_rule_is_another_code(tmp_path, monkeypatch):
    recipe = every_recipe()["trends"]
    module = tmp_path / "heap_assets/models/trends.py"
    module.parent.mkdir(parents=True)
    for source in (PACKAGE / "models", PACKAGE / "transforms/analytics", PACKAGE / "expressions/polars"):
        copy = tmp_path / "heap_assets" / source.relative_to(PACKAGE)
        copy.mkdir(parents=True, exist_ok=True)
        for file in source.glob("*.py"):
            (copy / file.name).write_text(file.read_text())
    monkeypatch.setattr("heap_assets_tests.models.test_versions.PACKAGE", tmp_path / "heap_assets")
    before = code_of(recipe)
    assert before == recorded()["trends"]["code"]
    rule = tmp_path / "heap_assets/transforms/analytics/trends.py"
    rule.write_text(rule.read_text().replace('"""Trends: ', '"""Other words: '))
    assert code_of(recipe) == before
    rule.write_text(rule.read_text().replace("is_not_null()", "is_null()"))
    assert code_of(recipe) != before


def record() -> None:
    """Record the versions, where a raised one or a new model allows it."""
    before = recorded() if RECORDED.exists() else {}
    now = {name: {"version": recipe.version, "code": code_of(recipe)} for name, recipe in every_recipe().items()}
    for name, one in now.items():
        if name in before and one["version"] == before[name]["version"] and one["code"] != before[name]["code"]:
            raise SystemExit(f"{name}: raise its version first")
    RECORDED.write_text(json.dumps(now, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    record()
