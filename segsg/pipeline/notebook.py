"""Notebooks as source, and how a stage runs one: `python -m segsg.pipeline.notebook run NAME --out PATH -p key value`.

As source a notebook has no outputs, counts, ids or editor metadata, so that saving one in JupyterLab retrains nothing.
Running is stricter than papermill's own command: an unknown parameter is an error and not a warning, the kernel is this
interpreter whatever the file says, and `--out` exists only if every cell ran. Until then the cells so far, with the
traceback if one failed, are in `*.part.ipynb` beside it. A folder given with `-o` is the notebook's result and gets
`segsg-digests.json` in the end. The kernel and all that it started end with this process.
"""

import argparse
import ast
import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from segsg.files import DIGESTS, ROOT, flush, seal, write_text
from segsg.pipeline.processes import Stopped, stoppable

SOURCES = Path("build/sources")
"""what the stages run; written by `segsg.pipeline.sources`"""
PART = ".part"
"""ends the name of a notebook that has not run to its end"""
PARAMETERS, INJECTED = "parameters", "injected-parameters"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Equal results need equal threads and hash seeds; a broken kernel in the home folder must not win over this one.
# tqdm says that it misses a widget, which is kept from it. A training step asks for the same large arrays again and
# again: the C library keeps their memory, in huge pages, instead of asking the system for it each time.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "PYTHONWARNINGS": "ignore:IProgress not found",
    "SEGSG_UNATTENDED": "1",  # segsg.figures.choosing
    "GLIBC_TUNABLES": ":".join(
        f"glibc.malloc.{name}"
        for name in ("hugetlb=1", "mmap_threshold=33554432", "trim_threshold=1073741824", "top_pad=67108864")
    ),
}
LINES_NOT_WIDGETS = "import tqdm.notebook; tqdm.notebook.IProgress = None"
"""what the kernel of a stage does first: a progress bar that is a widget would be in no log"""
OURS = {"DataError", "ValueError"}
"""errors whose text says all; others need their name"""
DIED = (
    "the notebook's process was ended from outside, as it is on a machine without free memory; "
    "free some, or run fewer stages at a time (--jobs 1)"
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookFailed(RuntimeError):
    """A cell of the notebook raised. The message has the traceback, the place of the executed cells, and last why."""


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
    source, tags = "".join(cell["source"]), _tags(cell)
    kept = {"cell_type": cell["cell_type"], "metadata": {"tags": tags} if tags else {}}
    if cell["cell_type"] == "code":
        kept |= {"execution_count": None, "outputs": []}
    return kept | {"source": source.splitlines(keepends=True)}


def _tags(cell: dict) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def unclean(folder: Path) -> list[Path]:
    """The notebooks in `folder` that are not stored as clean text."""
    return [path for path in sorted(folder.glob("*.ipynb")) if path.read_text(encoding="utf-8") != clean_text(path)]


def clean(folder: Path) -> None:
    """Store every notebook in `folder` as clean text."""
    for path in unclean(folder):
        write_text(path, clean_text(path))


def code(path: Path) -> str:
    """All code cells of a notebook as Python source, without the lines that speak to IPython."""
    cells = [cell["source"] for cell in json.loads(clean_text(path))["cells"] if cell["cell_type"] == "code"]
    return "\n".join("".join(line for line in lines if not line.startswith(("%", "!"))) for lines in cells)


def parameter_names(path: Path) -> set[str]:
    """Names assigned in the one cell of the notebook that is tagged `parameters`. ValueError if not just one."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if PARAMETERS in _tags(cell)]
    if len(cells) != 1:
        raise ValueError(f"{path}: {len(cells)} cells have the tag `{PARAMETERS}`; tag exactly one")
    assignments = ast.parse("".join(cells[0]["source"])).body
    return {target.id for node in assignments if isinstance(node, ast.Assign) for target in node.targets}


def run(notebook: Path, out: Path, parameters: dict[str, str], results: tuple[Path, ...] = ()) -> None:
    """Execute `notebook` in the current folder with `parameters` (all strings: names and paths) and save it as `out`.

    The folders `results` are what it makes, and sealed when it has. ValueError for a parameter that the notebook does
    not have; NotebookFailed if a cell raises.
    """
    _check_parameters(notebook, parameters)
    part = out.with_suffix(f"{PART}.ipynb")
    out.parent.mkdir(parents=True, exist_ok=True)
    for old in (part, *(folder / DIGESTS for folder in results)):
        old.unlink(missing_ok=True)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # In a copy of the project, as DVC makes one for `exp run --temp`, the kernel must not import what is installed.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory() as sockets:
        _execute(notebook, part, parameters, Path(sockets))
    for folder in results:
        seal(folder)
    _fold_defaults(part)
    flush(part)
    os.replace(part, out)


def _check_parameters(notebook: Path, parameters: dict[str, str]) -> None:
    if not notebook.is_file():
        raise ValueError(f"{notebook}: no such notebook; `dvc repro sources` writes what the stages run")
    known = parameter_names(notebook)
    if unknown := sorted(parameters.keys() - known):
        raise ValueError(f"{notebook}: no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}")


def _execute(notebook: Path, part: Path, parameters: dict[str, str], sockets: Path) -> None:
    # jsonschema, below papermill, spends a second on parsers for an optional check that nothing here needs.
    sys.modules.setdefault("rfc3987_syntax", None)
    import papermill
    from nbclient.exceptions import DeadKernelError

    options = {"kernel_name": "python3", "kernel_manager_class": _kernel_manager(sockets), "progress_bar": False}
    options["extra_arguments"] = [f"--IPKernelApp.exec_lines={LINES_NOT_WIDGETS}"]
    logs = {"stdout_file": sys.stdout, "stderr_file": sys.stderr}
    try:
        papermill.execute_notebook(str(notebook), str(part), parameters, **options, **logs)
    except papermill.PapermillExecutionError as error:
        said = error.evalue if error.ename in OURS else f"{error.ename}: {error.evalue}"
        lines = (str(error).strip(), f"{part}: the executed cells", " ".join(said.split()))
        raise NotebookFailed(ANSI.sub("", "\n".join(lines))) from error
    except DeadKernelError as error:
        raise NotebookFailed(f"{part}: the executed cells\n{DIED}") from error


def _fold_defaults(path: Path) -> None:
    """Folds the cell of parameters as written, where one with those of this run follows: JupyterLab shows one."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if any(INJECTED in _tags(cell) for cell in notebook["cells"]):
        for cell in notebook["cells"]:
            if PARAMETERS in _tags(cell):
                cell["metadata"]["jupyter"] = {"source_hidden": True}
        write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _kernel_manager(sockets: Path) -> type:
    """A kernel manager that talks to its kernel through files in the folder `sockets`: private, and no open ports."""
    from jupyter_client.manager import AsyncKernelManager

    class LocalKernelManager(AsyncKernelManager):
        def __init__(self, **options):
            super().__init__(**options | {"transport": "ipc", "ip": str(sockets / "kernel")})

    return LocalKernelManager


def main(arguments: list[str] | None = None) -> int:
    """Run one notebook of `SOURCES`; the exit code is 1 if it failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(required=True).add_parser("run", help="run one notebook")
    command.add_argument("name", help=f"a notebook of {SOURCES} without its ending")
    command.add_argument("--out", type=Path, required=True, help="where to save the executed notebook")
    for option, text in (("-p", "a parameter"), ("-o", "a parameter that is a folder which the notebook makes")):
        command.add_argument(option, nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help=text)
    options = parser.parse_args(arguments)
    notebook, results = SOURCES / f"{options.name}.ipynb", tuple(Path(folder) for _, folder in options.o)
    try:
        with stoppable(signal.SIGTERM, os.getppid()):
            run(notebook, options.out, dict(options.p + options.o), results)
    except (ValueError, OSError, NotebookFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped as stop:
        print("Stopped.", file=sys.stderr)
        return stop.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
