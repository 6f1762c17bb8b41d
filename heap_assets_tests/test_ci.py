"""What CI does is what the README and the hooks say: one test command, one set of checks.

Here: .ci/run and .pre-commit-config.yaml as texts. Not here: running them; .ci/run runs these tests.
"""

import os
import re
import subprocess

import pytest
import yaml

from heap_assets_tests.working_copy import ROOT

CI = ROOT / ".ci" / "run"
HOOKS = ROOT / ".pre-commit-config.yaml"


def ci_lines() -> list[str]:
    return CI.read_text(encoding="utf-8").splitlines()


def hook_entries() -> list[str]:
    (repository,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    return [hook["entry"] for hook in repository["hooks"]]


@pytest.mark.parametrize("script", ["run", "ceph"])
def test_the_script_can_be_run_and_stops_at_the_first_failure(script):
    path = ROOT / ".ci" / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", path], check=True)


def test_ci_ends_with_the_test_command_of_the_readme_and_requires_server_and_browser():
    lines = ci_lines()
    (command,) = re.findall(r"^```sh\n(uv run pytest)\n```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert lines[-1] == command
    assert any("HEAP_TEST_S3=required HEAP_TEST_BROWSER=required" in line for line in lines)


def test_ci_checks_what_the_hooks_check():
    checks = {tool: any(line.startswith(f"uv run {tool}") for line in ci_lines()) for tool in ("ruff check", "mypy")}
    assert all(checks.values())
    assert "uv run ruff format --check ." in ci_lines()
    assert [re.sub(r" --\w+$", "", entry) for entry in hook_entries()] == [
        "uv run ruff check",
        "uv run ruff format",
        "uv run mypy",
    ]


def test_the_hooks_are_valid():
    subprocess.run(["pre-commit", "validate-config", HOOKS], check=True, cwd=ROOT)
