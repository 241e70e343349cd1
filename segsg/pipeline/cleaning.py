"""Notebooks as source: no outputs, counts, ids or editor metadata, so that saving one in JupyterLab retrains nothing.

`python -m segsg.pipeline.cleaning SOURCE TARGET` writes the clean copies that the stages of dvc.yaml depend on.
"""

import argparse
import ast
import json
from pathlib import Path

from segsg.files import write_text

PARAMETERS = "parameters"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def clean_text(path: Path) -> str:
    """The notebook at `path` as text that depends on nothing but its cells' sources and tags.

    ValueError if the file is not a notebook. Cell ids are dropped (format 4.4 has none), since editors renumber them.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a Jupyter notebook ({error}); restore it with git") from error
    notebook = {"cells": [_clean_cell(cell) for cell in cells], "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _clean_cell(cell: dict) -> dict:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    tags = cell.get("metadata", {}).get("tags", [])
    kept = {"cell_type": cell["cell_type"], "metadata": {"tags": tags} if tags else {}}
    if cell["cell_type"] == "code":
        kept |= {"execution_count": None, "outputs": []}
    return kept | {"source": source.splitlines(keepends=True)}


def unclean(folder: Path) -> list[Path]:
    """The notebooks in `folder` that are not stored as clean text."""
    return [path for path in sorted(folder.glob("*.ipynb")) if path.read_text(encoding="utf-8") != clean_text(path)]


def clean(source: Path, target: Path) -> None:
    """Write a clean copy of every notebook in the folder `source` to the folder `target`, which may be the same."""
    for path in sorted(source.glob("*.ipynb")):
        write_text(target / path.name, clean_text(path))


def parameter_names(path: Path) -> set[str]:
    """Names assigned in the one cell of the notebook that is tagged `parameters`. ValueError if not just one."""
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if PARAMETERS in _tags(c)]
    if len(cells) != 1:
        raise ValueError(f"{path}: {len(cells)} cells have the tag `{PARAMETERS}`; tag exactly one")
    assignments = ast.parse("".join(cells[0]["source"])).body
    return {target.id for node in assignments if isinstance(node, ast.Assign) for target in node.targets}


def _tags(cell: dict) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    clean(arguments.source, arguments.target)
