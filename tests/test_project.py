"""What a visitor of the repository relies on."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from segsg.pipeline.checks import requirements

ROOT = Path(__file__).resolve().parents[1]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_requirement_is_locked_to_one_version():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text("requirements.lock"), re.M))
    wanted = [Requirement(text) for text in requirements(project, ("photos", "study", "dev"))]
    assert {requirement.name.lower() for requirement in wanted} <= locked.keys()
    for requirement in wanted:
        assert requirement.specifier.contains(locked[requirement.name.lower()]), requirement


def test_only_the_lock_pins_exact_versions():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert "==" not in " ".join(requirements(project, project["optional-dependencies"]))


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "environment.yml", "Makefile"])
def test_no_file_chooses_where_packages_come_from(name):
    assert not re.search(r"https?://|index-url|find-links", text(name))


def test_continuous_integration_runs_exactly_three_targets():
    commands = [line for line in text(".ci/run").splitlines() if line and not line.startswith(("#", "set", "cd"))]
    assert commands == ["make check test smoke"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.parametrize("target", ["help", "study", "test", "check", "smoke"])
def test_make_knows_the_targets_of_the_readme(target):
    planned = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert planned.returncode == 0, planned.stderr


def test_commands_and_files_that_documents_name_exist():
    documents = text("README.md") + text("CONTRIBUTING.md")
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.M))
    named = " ".join(re.findall(r"(?:^|`)make ([a-z ]+)", documents, re.M)).split()
    assert {"study", "test"} <= set(named) <= targets
    links = re.findall(r"\]\((?!http|#)([^)#]+)", documents)
    assert [link for link in links if not (ROOT / link).exists() and not link.startswith("reports/")] == []


def test_the_license_is_named_everywhere():
    assert text("LICENSE").startswith("MIT License")
    assert tomllib.loads(text("pyproject.toml"))["project"]["license"] == "MIT"
