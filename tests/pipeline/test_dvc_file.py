"""dvc.yaml tells the truth: parameters exist in notebooks, and a stage is stale when its own code changed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
import yaml

from segsg.files import ROOT, read_json
from segsg.models import registry
from segsg.pipeline import repro, sources, trial
from segsg.pipeline.notebook import code, parameter_names
from segsg.study import profile
from segsg.study.code import imported

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
BODIES = {name: stage.get("do", stage) for name, stage in STAGES.items()}
NOTEBOOK = re.compile(r"segsg\.pipeline\.notebook run (\S+)")
MODULE = re.compile(r"python -m (segsg\.\S+)")
FOR_READERS = {"70_photo.ipynb", "71_choose.ipynb"}
"""notebooks that the study does not need"""
WITH_NOTEBOOK = sorted(name for name, body in BODIES.items() if NOTEBOOK.search(body["cmd"]))
TRAINED = ("10_data", "20_detector", "22_detection", "25_look")
"""notebooks whose results take hours; 30_rows finds out by itself which of its rows a change concerns"""
MODELS = tuple(registry.names())


def notebook_of(stage: str) -> Path:
    return ROOT / "notebooks" / f"{NOTEBOOK.search(BODIES[stage]['cmd'])[1]}.ipynb"


def written(copy: Path) -> dict[str, dict[str, str]]:
    """What the stage `sources` writes in a copy of the project, by name of the file."""
    subprocess.run([sys.executable, "-m", "segsg.pipeline.sources"], cwd=copy, check=True)
    return {path.stem: read_json(path) for path in (copy / "build" / "sources").glob("*.json")}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project's sources, with parameters."""
    copy = trial.create(tmp_path_factory.mktemp("project") / "copy")
    assert trial.segsg(copy, "profile", "use", "smoke") == 0
    return copy


@pytest.fixture(scope="module")
def before(project) -> dict[str, dict[str, str]]:
    return written(project)


@pytest.fixture
def stale(project, before):
    """Names of the records that differ once these files have another line."""

    def of(*files: str) -> set[str]:
        texts = {project / name: (project / name).read_text(encoding="utf-8") for name in files}
        for path, text in texts.items():
            path.write_text(text + "\n# another line\n", encoding="utf-8")
        after = written(project)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return {name for name in before | after if before.get(name) != after.get(name)}

    return of


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("segsg", cache_dir=None)


def upstream(imports: grimp.ImportGraph, modules: set[str]) -> set[str]:
    """Files of these modules and of all that they import, as another tool finds them; without packages."""
    known = modules & imports.modules
    every = known.union(*(imports.find_upstream_modules(module) for module in known))
    paths = [Path(module.replace(".", "/") + ".py") for module in every]
    return {path.as_posix() for path in paths if (ROOT / path).is_file()}


def modules_in(record: dict[str, str]) -> set[str]:
    return {name for name in record if name.endswith(".py")}


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if path.name not in FOR_READERS],
    ids=lambda path: path.stem,
)
def test_a_notebooks_record_is_all_that_it_imports(path, before, imports):
    own, models = upstream(imports, set(imported(code(path)))), {f"segsg.models.{name}" for name in MODELS}
    if "segsg/study/scene_graphs.py" in own:
        assert modules_in(before[path.stem]) == own | upstream(imports, models)
    else:
        assert modules_in(before[path.stem]) == own


@pytest.mark.parametrize("stage", sorted(sources.MODULES))
def test_a_modules_record_is_all_that_it_imports(stage, before, imports):
    assert MODULE.search(BODIES[stage]["cmd"])[1] == sources.MODULES[stage]
    assert modules_in(before[stage]) == upstream(imports, {sources.MODULES[stage]})


def test_templates_count_with_the_code_that_fills_them(before):
    assert "segsg/report/templates/layout.html" in before["report"]
    assert not [name for name in before["30_rows"] if not name.endswith((".py", ".ipynb"))]


@pytest.mark.parametrize("stage", sorted(BODIES.keys() - {"sources"}))
def test_a_stage_depends_on_the_record_of_what_it_runs_and_on_no_other(stage, before):
    own = notebook_of(stage).stem if stage in WITH_NOTEBOOK else stage
    named = [Path(path).name for path in BODIES[stage]["deps"] if path.startswith("build/sources/")]
    assert named == [f"{own}.json"] and own in before
    assert not [path for path in BODIES[stage]["deps"] if path.startswith(("segsg", "notebooks"))]


def test_equal_sources_give_equal_bytes(project, before):
    folder = project / "build" / "sources"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    written(project)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_another_model_changes_only_what_runs_rows(stale):
    readers = {"60_gallery", "61_pairs", "62_kernels", "63_refinement", "explore"}
    changed = stale("segsg/models/imp.py")
    assert {"30_rows", "explore"} <= changed <= {"30_rows"} | readers


def test_a_new_model_changes_no_detector(project, before):
    path = project / "segsg" / "models" / "another.py"
    path.write_text('"""A model."""\n\n\ndef context(materials):\n    """Nothing."""\n', encoding="utf-8")
    after = written(project)
    path.unlink()
    kept = [name for name in before if name.startswith(TRAINED)]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert "segsg/models/another.py" in after["30_rows"]


def test_yardsticks_readers_and_pages_retrain_nothing(stale):
    rooms = [
        path
        for room in ("formats", "report", "figures", "tools", "photos")
        for path in (ROOT / "segsg" / room).glob("*.py")
    ]
    files = [path.relative_to(ROOT).as_posix() for path in rooms if path.name != "__init__.py"]
    changed = stale("segsg/world/yardsticks.py", *files)
    assert "report" in changed
    assert not [name for name in changed if name.startswith(TRAINED)]


def test_a_notebook_is_its_cells(project, before):
    path = project / "notebooks" / "20_detector.ipynb"
    saved = path.read_text(encoding="utf-8")
    path.write_text(saved.replace('"execution_count": null', '"execution_count": 7'), encoding="utf-8")
    assert written(project) == before
    path.write_text(saved.replace("params", "parameters"), encoding="utf-8")
    after = written(project)
    path.write_text(saved, encoding="utf-8")
    assert {name for name in before if before[name] != after[name]} == {"20_detector"}


def test_rooms_hold_a_docstring_and_no_code():
    """The package itself has what users call, `segsg.load`; no module of it may import the package."""
    for path in (ROOT / "segsg").glob("*/**/__init__.py"):
        assert len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1, path
        assert not imported(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("stage", WITH_NOTEBOOK)
def test_parameters_of_a_stage_exist_in_its_notebook(stage):
    passed = set(re.findall(r"-[po] (\S+)", BODIES[stage]["cmd"]))
    assert passed == parameter_names(notebook_of(stage))


@pytest.mark.parametrize("stage", WITH_NOTEBOOK)
def test_every_folder_that_dvc_keeps_of_a_notebook_is_sealed_and_no_other(stage):
    outs = [{out: {}} if isinstance(out, str) else out for out in BODIES[stage].get("outs", [])]
    kept = [path for out in outs for path, options in out.items() if options.get("cache", True)]
    assert re.findall(r"-o \S+ (\S+)", BODIES[stage]["cmd"]) == kept


@pytest.fixture
def hostile(project):
    """The copy with parameters whose profile, report, detector and row would be commands of a shell."""
    path = project / "params.yaml"
    before = path.read_text(encoding="utf-8")
    for name in ("smoke-fpn", "smoke-motifs"):
        assert f"{name}" in before
    text = re.sub(r"^(  smoke-[\w-]+):$", r"  'x;touch pwned;\1':", before, flags=re.MULTILINE)
    path.write_text(re.sub(r"^(profile|report): smoke$", r"\1: x;touch pwned;", text, flags=re.MULTILINE))
    yield project
    path.write_text(before, encoding="utf-8")


def test_plain_dvc_refuses_names_that_a_shell_would_run_before_any_of_them_stands_in_a_command(hostile):
    assert hostile.joinpath("params.yaml").read_text().count("touch pwned") > 4
    (hostile / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    command = [sys.executable, "-m", "dvc", "repro", "--keep-going"]
    done = subprocess.run(command, cwd=hostile, env=repro.environment({}), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "is not plain; begin with a letter or digit" in done.stderr
    assert not list(hostile.rglob("pwned"))


@pytest.mark.parametrize("stage", sorted(BODIES.keys() - {"sources"}))
def test_every_stage_waits_for_the_one_that_checks_names(stage):
    assert "params.yaml" in BODIES["sources"]["deps"]
    assert any(dep.startswith("build/sources/") for dep in BODIES[stage]["deps"])


def test_every_notebook_is_a_stage_or_for_readers_alone():
    notebooks = {p.name for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert {notebook_of(stage).name for stage in WITH_NOTEBOOK} == notebooks - FOR_READERS


@pytest.mark.parametrize("name", ["mini", "mini-seeds", "paper", "smoke", "trial"])
def test_dvc_reads_the_stages_of_every_profile(name, tmp_path, monkeypatch):
    copy = trial.create(tmp_path / "copy")
    monkeypatch.chdir(copy)
    profile.use(name)
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    (copy / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    rows = profile.resolve(name)
    stages = listed.stdout.split()
    assert {f"detector@{key}" for key in rows["detectors"]} <= set(stages)
    assert {f"rows@{key}" for key in rows["groups"]} <= set(stages)
    assert f"report@{name}" in stages
