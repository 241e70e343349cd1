import json
import sys

import pytest

from segsg.pipeline.cleaning import KERNEL
from segsg.pipeline.notebook import NotebookFailed, main, run


@pytest.fixture
def notebook(tmp_path):
    def write(*sources: str):
        cells = [
            {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
            for source in ("key = 'default'\nout = ''", *sources)
        ]
        cells[0]["metadata"] = {"tags": ["parameters"]}
        path = tmp_path / "a.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 4}))
        return path

    return write


def test_a_notebook_runs_with_its_parameters_as_text_and_this_interpreter(notebook, tmp_path):
    target, out = tmp_path / "said.txt", tmp_path / "executed" / "a.ipynb"
    path = notebook(
        "import os, sys", "open(out, 'w').write(repr((key, sys.executable, os.environ['OMP_NUM_THREADS'])))"
    )
    run(path, out, {"key": "01", "out": str(target)})
    assert target.read_text() == repr(("01", sys.executable, "1"))
    assert out.is_file()
    assert not list(out.parent.glob("*.part.ipynb"))


def test_a_failing_notebook_leaves_its_cells_with_the_traceback_and_no_result(notebook, tmp_path):
    out = tmp_path / "a-out.ipynb"
    with pytest.raises(NotebookFailed, match=r"(?s)ZeroDivisionError.*a-out\.part\.ipynb"):
        run(notebook("print('before')", "1 / 0", "open(out, 'w')"), out, {})
    assert not out.exists()
    saved = (tmp_path / "a-out.part.ipynb").read_text()
    assert "before" in saved
    assert "ZeroDivisionError" in saved


def test_an_unknown_parameter_is_refused_before_anything_runs(notebook, tmp_path):
    with pytest.raises(ValueError, match=r"a\.ipynb: no parameter kay; it has key, out"):
        run(notebook("open(out, 'w')"), tmp_path / "b.ipynb", {"kay": "x"})
    assert not (tmp_path / "b.ipynb").exists()


def test_the_command_says_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "nothing", "--out", "out.ipynb"]) == 1
    assert "build/notebooks/nothing.ipynb: no such notebook" in capsys.readouterr().err
