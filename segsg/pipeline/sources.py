"""What each stage runs, so that a stage is stale when its own code changed and only then.

`python -m segsg.pipeline.sources` writes to build/sources, for each notebook, its clean copy NAME.ipynb, which the
stage executes, and NAME.json: {path: SHA-256} of the notebook and of every module that it reaches by imports. A stage
that runs a module has a JSON alone, under the name of the stage. DVC itself does not follow imports.

It is what runs first, so it also checks params.yaml: names of the study stand in the commands of all other stages.

Scene graph models are files that are loaded by name. A notebook that can open a row of any model has all of them in its
record. The stage `rows` then finds out by itself which of its rows a changed model concerns.
"""

import hashlib
import sys
from pathlib import Path

from segsg.files import to_json, write_text
from segsg.models import registry
from segsg.pipeline.notebook import SOURCES, clean_text, code
from segsg.study.code import PACKAGE, imported, reached, record
from segsg.study.params import load
from segsg.study.profile import check_numbers

NOTEBOOKS = Path("notebooks")
OPENS_MODELS = PACKAGE / "study" / "scene_graphs.py"
"""whoever reaches this file can open the model of any row"""
MODULES = {
    "results": "segsg.study.collect",
    "headline": "segsg.study.headline",
    "passport": "segsg.pipeline.passport",
    "report": "segsg.report.html",
}
"""stages that run a module"""


def of_notebook(path: Path) -> dict[str, str]:
    """The record of a notebook: itself without outputs, and all that it reaches."""
    names = imported(code(path))
    own = {path.as_posix(): hashlib.sha256(clean_text(path).encode()).hexdigest()}
    return own | record(names, registry.names() if OPENS_MODELS in reached(names) else ())


def write(out: Path) -> None:
    """Write what all stages run to the folder `out`. Equal sources give equal bytes."""
    records = {f"{stage}.json": record([module]) for stage, module in MODULES.items()}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        write_text(out / path.name, clean_text(path))
        records[f"{path.stem}.json"] = of_notebook(path)
    for name, files in records.items():
        write_text(out / name, to_json(files))


def main() -> int:
    """Check params.yaml, then write; the exit code is 1 if something is wrong."""
    try:
        load()
        check_numbers()
        write(SOURCES)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
