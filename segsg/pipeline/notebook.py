"""Run one notebook of the study: `python -m segsg.pipeline.notebook run NAME --out PATH -p key value ...`.

Stricter than papermill's own command: an unknown parameter is an error and not a warning, the kernel is this
interpreter whatever the file says, and `--out` exists only if every cell ran. Until then the cells so far, with the
traceback if one failed, are in `*.part.ipynb` beside it.
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from segsg.pipeline.cleaning import parameter_names

CLEAN_NOTEBOOKS = Path("build/notebooks")
# Equal results need equal threads and hash seeds; a broken kernel in the home folder must not win over this one.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "JUPYTER_PREFER_ENV_PATH": "1"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookFailed(RuntimeError):
    """A cell of the notebook raised; the message carries the traceback and the place of the executed cells."""


def run(notebook: Path, out: Path, parameters: dict[str, str]) -> None:
    """Execute `notebook` in the current folder with `parameters` (all strings: names and paths) and save it as `out`.

    ValueError for a parameter that the notebook does not have; NotebookFailed if a cell raises.
    """
    _check_parameters(notebook, parameters)
    part = out.with_suffix(".part.ipynb")
    out.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with tempfile.TemporaryDirectory() as sockets:
        _execute(notebook, part, parameters, Path(sockets))
    os.replace(part, out)


def _check_parameters(notebook: Path, parameters: dict[str, str]) -> None:
    if not notebook.is_file():
        raise ValueError(f"{notebook}: no such notebook; `dvc repro notebooks` writes the clean copies")
    known = parameter_names(notebook)
    if unknown := sorted(parameters.keys() - known):
        raise ValueError(f"{notebook}: no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}")


def _execute(notebook: Path, part: Path, parameters: dict[str, str], sockets: Path) -> None:
    # jsonschema, below papermill, spends a second on parsers for an optional check that nothing here needs.
    sys.modules.setdefault("rfc3987_syntax", None)
    import papermill

    options = {"kernel_name": "python3", "kernel_manager_class": _kernel_manager(sockets), "progress_bar": False}
    logs = {"stdout_file": sys.stdout, "stderr_file": sys.stderr}
    try:
        papermill.execute_notebook(str(notebook), str(part), parameters, **options, **logs)
    except papermill.PapermillExecutionError as error:
        raise NotebookFailed(f"{ANSI.sub('', str(error)).strip()}\n{part}: the executed cells") from error


def _kernel_manager(sockets: Path) -> type:
    """A kernel manager that talks to its kernel through files in the folder `sockets`: private, and no open ports."""
    from jupyter_client.manager import AsyncKernelManager

    class LocalKernelManager(AsyncKernelManager):
        def __init__(self, **options):
            super().__init__(**options | {"transport": "ipc", "ip": str(sockets / "kernel")})

    return LocalKernelManager


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(required=True).add_parser("run", help="run one notebook")
    command.add_argument("name", help=f"a notebook of {CLEAN_NOTEBOOKS} without its ending")
    command.add_argument("--out", type=Path, required=True, help="where to save the executed notebook")
    command.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="parameters")
    options = parser.parse_args(arguments)
    try:
        run(CLEAN_NOTEBOOKS / f"{options.name}.ipynb", options.out, dict(options.parameters))
    except (ValueError, NotebookFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
