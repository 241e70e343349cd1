"""What each stage runs, so that a stage is stale when its own code changed and only then.

`python -m segsg.pipeline.sources` writes to build/sources, for each notebook, its clean copy NAME.ipynb, which the
stage executes, and NAME.json: {path: SHA-256} of the notebook and of every module that it reaches by imports. A stage
that runs a module has a JSON alone, under the name of the stage. DVC itself does not follow imports.

It is what runs first, so it also checks params.yaml: names of the study stand in the commands of all other stages.

Scene graph models are files that are loaded by name. A notebook of one row has a JSON for each of them,
NAME-MODEL.json; any other notebook that can open a row of any model has all of them in its own.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from segsg.files import digest, to_json, write_text
from segsg.models import registry
from segsg.pipeline.notebook import SOURCES, clean_text, code
from segsg.study.params import load

NOTEBOOKS, PACKAGE = Path("notebooks"), Path("segsg")
OF_ONE_MODEL = ("30_scene_graph", "40_evaluation")
"""notebooks of one row, which names its model"""
OPENS_MODELS = PACKAGE / "study" / "scene_graphs.py"
"""whoever reaches this file can open the model of any row"""
MODULES = {"results": "segsg.study.collect", "passport": "segsg.pipeline.passport", "report": "segsg.report.html"}
"""stages that run a module"""


@cache
def imported(source: str) -> frozenset[str]:
    """Names that Python source imports, also inside functions: `from a import b` imports `a` and maybe `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def reached(names: Iterable[str]) -> set[Path]:
    """Files of the project's modules among these names, and of all that those reach by imports.

    Packages are left out: their `__init__.py` holds a docstring and no code.
    """
    found: set[Path] = set()
    waiting = set(names)
    while waiting:
        path = Path(waiting.pop().replace(".", "/")).with_suffix(".py")
        if path not in found and PACKAGE in path.parents and path.is_file():
            found.add(path)
            waiting |= imported(path.read_text(encoding="utf-8"))
    return found


def beside(modules: Iterable[Path]) -> set[Path]:
    """Files of the rooms of these modules that are no code, as templates."""
    rooms = {path.parent for path in modules} - {PACKAGE}
    files = {path for room in rooms for path in room.rglob("*") if path.is_file() and path.suffix != ".py"}
    return {path for path in files if "__pycache__" not in path.parts}


def record(names: Iterable[str], models: Iterable[str] = ()) -> dict[str, str]:
    """{path: SHA-256} of all that modules of these names reach, with these scene graph models."""
    modules = reached({*names, *(f"{registry.__package__}.{model}" for model in models)})
    return {path.as_posix(): digest(path) for path in modules | beside(modules)}


def of_notebook(path: Path) -> dict[str, dict[str, str]]:
    """The records of a notebook by file name: one, or one for each scene graph model."""
    names, models = imported(code(path)), registry.names()
    own = {path.as_posix(): hashlib.sha256(clean_text(path).encode()).hexdigest()}
    if path.stem in OF_ONE_MODEL:
        return {f"{path.stem}-{model}.json": own | record(names, [model]) for model in models}
    return {f"{path.stem}.json": own | record(names, models if OPENS_MODELS in reached(names) else ())}


def write(out: Path) -> None:
    """Write what all stages run to the folder `out`. Equal sources give equal bytes."""
    records = {f"{stage}.json": record([module]) for stage, module in MODULES.items()}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        write_text(out / path.name, clean_text(path))
        records |= of_notebook(path)
    for name, files in records.items():
        write_text(out / name, to_json(files))


def main() -> int:
    """Check params.yaml, then write; the exit code is 1 if something is wrong."""
    try:
        load()
        write(SOURCES)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
