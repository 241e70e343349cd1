"""dvc.yaml tells the truth: its parameters exist in its notebooks, and its code dependencies are what they run."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
import yaml

from segsg.pipeline import workspace
from segsg.pipeline.cleaning import parameter_names
from segsg.pipeline.project import ROOT
from segsg.study import profile

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
BODIES = {name: stage.get("do", stage) for name, stage in STAGES.items()}
NOTEBOOK = re.compile(r"segsg\.pipeline\.notebook run (\S+)")
MODULE = re.compile(r"python -m (segsg\.\S+)")
FOR_READERS = {"70_photo.ipynb"}
"""notebooks that the study does not need"""
WITH_NOTEBOOK = sorted(name for name, body in BODIES.items() if NOTEBOOK.search(body["cmd"]))


def notebook_of(stage: str) -> Path:
    return ROOT / "notebooks" / f"{NOTEBOOK.search(BODIES[stage]['cmd'])[1]}.ipynb"


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("segsg", cache_dir=None)


def imported_by(source: str, modules: set[str]) -> set[str]:
    """Modules of the project that a piece of source imports itself."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & modules


def first_modules(stage: str, modules: set[str]) -> set[str]:
    """Modules that a stage's notebook imports, or the one that its command runs."""
    if stage not in WITH_NOTEBOOK:
        return {MODULE.search(BODIES[stage]["cmd"])[1]}
    cells = json.loads(notebook_of(stage).read_text(encoding="utf-8"))["cells"]
    return imported_by("\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code"), modules)


def files_of(stage: str, imports: grimp.ImportGraph) -> set[str]:
    """Files of the project that a stage runs, except empty ones."""
    first = first_modules(stage, imports.modules)
    modules = first.union(*(imports.find_upstream_modules(module) for module in first))
    paths = [ROOT / (module.replace(".", "/") + ".py") for module in modules]
    return {path.relative_to(ROOT).as_posix() for path in paths if path.is_file()}


@pytest.mark.parametrize("stage", sorted(BODIES))
def test_a_stage_depends_on_all_the_code_that_it_runs(stage, imports):
    dependencies = BODIES[stage]["deps"]
    missing = [
        file for file in sorted(files_of(stage, imports))
        if not any(file == path or file.startswith(f"{path}/") for path in dependencies)
    ]  # fmt: skip
    assert not missing, f"dvc.yaml, stage {stage}: add to deps {missing}"


def has_code(path: Path) -> bool:
    """Templates are no code."""
    return path.is_file() or any(path.rglob("*.py"))


@pytest.mark.parametrize("stage", sorted(BODIES))
def test_a_stage_depends_on_no_code_that_it_does_not_run(stage, imports):
    run = files_of(stage, imports)
    code = [path for path in BODIES[stage]["deps"] if path.startswith("segsg/") and has_code(ROOT / path)]
    idle = [path for path in code if not any(file == path or file.startswith(f"{path}/") for file in run)]
    assert not idle, f"dvc.yaml, stage {stage}: remove from deps {idle}"


def test_packages_are_empty_so_that_they_need_no_mention():
    assert not [str(path) for path in (ROOT / "segsg").rglob("__init__.py") if path.read_text().strip()]


@pytest.mark.parametrize("stage", WITH_NOTEBOOK)
def test_parameters_of_a_stage_exist_in_its_notebook(stage):
    passed = set(re.findall(r"-p (\S+)", BODIES[stage]["cmd"]))
    assert passed == parameter_names(notebook_of(stage))


def test_every_notebook_is_a_stage_or_for_readers_alone():
    notebooks = {p.name for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert {notebook_of(stage).name for stage in WITH_NOTEBOOK} == notebooks - FOR_READERS


@pytest.mark.parametrize("name", ["mini", "paper", "smoke", "trial"])
def test_dvc_reads_the_stages_of_every_profile(name, tmp_path, monkeypatch):
    copy = workspace.create(tmp_path / "copy")
    monkeypatch.chdir(copy)
    profile.use(name)
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    (copy / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    rows = profile.resolve(name)
    stages = listed.stdout.split()
    assert {f"detector@{key}" for key in rows["detectors"]} <= set(stages)
    assert {f"evaluation@{key}" for key in rows["experiments"]} <= set(stages)
    assert f"report@{name}" in stages
