"""What `segsg check` looks at: files that are generated or have to agree with others, and a study's own files."""

import dataclasses
import tomllib
from collections.abc import Iterable
from pathlib import Path

import yaml

from segsg.pipeline.notebook import parameter_names, unclean
from segsg.pipeline.passport import leaves
from segsg.study import profile
from segsg.study.params import PARAMS_FILE, Params

NOTEBOOKS = Path("notebooks")
CONDA = ("photos", "study", "dev")
"""extras that environment.yml has beside what the project needs in any case"""


def problems() -> list[str]:
    """One line per problem, each with the command that mends it."""
    return [*check_params(), *check_notebooks(NOTEBOOKS), *check_environment()]


def check_notebooks(folder: Path) -> list[str]:
    """Notebooks are stored without outputs and have one cell of parameters."""
    found = [f"{path}: stored with outputs or ids; run `segsg clean`" for path in unclean(folder)]
    for path in sorted(folder.glob("*.ipynb")):
        try:
            parameter_names(path)
        except ValueError as error:
            found.append(str(error))
    return found


def check_environment() -> list[str]:
    """environment.yml asks for what pyproject.toml asks for; that requirements.lock pins all of it is a test."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = requirements(project, CONDA)
    conda = yaml.safe_load(Path("environment.yml").read_text(encoding="utf-8"))["dependencies"]
    listed = next(item["pip"] for item in conda if isinstance(item, dict))
    different = sorted(set(wanted) ^ set(listed))
    return [f"environment.yml and pyproject.toml differ in {', '.join(different)}; copy it over"] if different else []


def requirements(project: dict, extras: Iterable[str]) -> list[str]:
    """What the section `project` of pyproject.toml asks for with these extras; an extra that names another is its
    sum, not a requirement."""
    listed = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return [text for text in listed if not text.startswith(f"{project['name']}[")]


def check_params() -> list[str]:
    """params.yaml is what its profile says."""
    try:
        name, overrides = profile.written_by()
        expected = profile.text(name, overrides)
    except ValueError as error:
        return [str(error)]
    if PARAMS_FILE.read_text(encoding="utf-8") == expected:
        return []
    return [f"{PARAMS_FILE}: not what profile '{name}' says; change profiles/ and run `segsg profile use {name}`"]


def check_files(params: Params) -> None:
    """Files that a study needs from outside are there, before anything is trained.

    ValueError names every file and folder of the section `data`, and all weights that a detector starts from, that
    are not.
    """
    from segsg.detection.pretrained import is_torchvisions  # PyTorch takes seconds

    made = Path("data") / params.profile  # a drawn world's own files, which its first stage writes
    named = [(key, path) for key, path in leaves(dataclasses.asdict(params.data), "data") if isinstance(path, Path)]
    missing = [f"{key}: {path}" for key, path in named if made not in path.parents and not path.exists()]
    for backbone in sorted({row.backbone for row in params.detectors.values()} & params.pretrained.keys()):
        source = params.pretrained[backbone]
        if not (Path(source).is_file() or is_torchvisions(source)):
            missing.append(f"pretrained.{backbone}: {source}")
    if missing:
        way_out = "put or link them, or name others in the profile"
        raise ValueError(f"profile {params.profile}: not there: {'; '.join(missing)}; {way_out}")
