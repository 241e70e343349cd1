import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from segsg.files import DIGESTS, ROOT, DataError, check_seal
from segsg.pipeline.notebook import (
    DIED,
    KERNEL,
    NotebookFailed,
    clean,
    clean_text,
    code,
    main,
    parameter_names,
    run,
    unclean,
)
from segsg.pipeline.processes import OWNER, alive


def cell(source: str, **extra) -> dict:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None} | extra


def write(path, *cells, **extra):
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | extra))
    return path


def test_two_saves_of_one_notebook_are_the_same_text(tmp_path):
    plain = write(tmp_path / "a.ipynb", cell("1 + 1\nx = 2"))
    output = {"output_type": "stream", "name": "stdout", "text": ["2"]}
    run = cell(["1 + 1\n", "x = 2"], id="b7", outputs=[output], execution_count=3, metadata={"collapsed": True})
    saved = write(tmp_path / "b.ipynb", run, metadata={"kernelspec": {"name": "my-env"}})
    assert clean_text(plain) == clean_text(saved)


def test_a_changed_source_or_tag_is_another_text(tmp_path):
    texts = {
        clean_text(write(tmp_path / "a.ipynb", cell("x = 1"))),
        clean_text(write(tmp_path / "a.ipynb", cell("x = 2"))),
        clean_text(write(tmp_path / "a.ipynb", cell("x = 1", metadata={"tags": ["parameters"]}))),
    }
    assert len(texts) == 3


def test_clean_notebooks_stay_as_they_are(tmp_path):
    write(tmp_path / "a.ipynb", cell("x = 1", id="7"))
    assert [path.name for path in unclean(tmp_path)] == ["a.ipynb"]
    clean(tmp_path)
    assert unclean(tmp_path) == []


def test_parameter_names_are_those_assigned_in_the_tagged_cell(tmp_path):
    path = write(tmp_path / "a.ipynb", cell("y = 1"), cell("key = 'k'\nout = 'o'", metadata={"tags": ["parameters"]}))
    assert parameter_names(path) == {"key", "out"}


@pytest.mark.parametrize("count", [0, 2])
def test_a_notebook_needs_exactly_one_cell_of_parameters(tmp_path, count):
    path = write(tmp_path / "a.ipynb", *[cell("a = 1", metadata={"tags": ["parameters"]})] * count)
    with pytest.raises(ValueError, match=f"a.ipynb: {count} cells have the tag"):
        parameter_names(path)


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    (tmp_path / "a.ipynb").write_text("not json")
    with pytest.raises(ValueError, match=r"a\.ipynb: not a Jupyter notebook"):
        clean_text(tmp_path / "a.ipynb")


def test_the_code_of_a_notebook_is_python(tmp_path):
    text = {"cell_type": "markdown", "metadata": {}, "source": "# a title"}
    path = write(tmp_path / "a.ipynb", text, cell("%matplotlib inline\nx = 1\n!ls"), cell("y = 2"))
    assert code(path).split() == ["x", "=", "1", "y", "=", "2"]


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


def test_the_kernel_imports_the_package_of_its_runner_and_not_the_installed_one(notebook, tmp_path, monkeypatch):
    other = tmp_path / "installed" / "segsg"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    out = tmp_path / "where.txt"
    path = notebook("import segsg; open(out, 'w').write(segsg.__path__[0])")
    run(path, tmp_path / "executed.ipynb", {"out": str(out)})
    assert out.read_text() == str(ROOT / "segsg")


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
    assert "build/sources/nothing.ipynb: no such notebook" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "last"),
    [
        ("from segsg.files import DataError\nraise DataError('a.jpg', 'photo', 'is missing', 'put it there')",
         "a.jpg: photo: is missing; put it there"),
        ("raise ValueError('two\\nlines')", "two lines"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 9)", DIED),
    ],
    ids=["data", "value", "other", "killed"],
)  # fmt: skip
def test_the_last_line_says_what_was_wrong(notebook, tmp_path, cell, last):
    with pytest.raises(NotebookFailed) as raised:
        run(notebook(cell), tmp_path / "out.ipynb", {})
    assert str(raised.value).splitlines()[-1] == last
    assert str(raised.value).splitlines()[-2] == f"{tmp_path / 'out.part.ipynb'}: the executed cells"


def test_what_a_notebook_makes_is_sealed_once_all_of_it_is_there(notebook, tmp_path):
    out = tmp_path / "made"
    path = notebook("from pathlib import Path\nPath(out).mkdir()\nPath(out, 'a.txt').write_text('a')")
    run(path, tmp_path / "out.ipynb", {"out": str(out)}, (out,))
    check_seal(out / "a.txt")
    (out / "a.txt").write_text("b")
    with pytest.raises(DataError, match=r"a\.txt: file: is not what its stage has left"):
        check_seal(out / "a.txt")


def test_a_failed_notebook_leaves_no_seal_of_an_earlier_run(notebook, tmp_path):
    (tmp_path / DIGESTS).write_text("{}")
    with pytest.raises(NotebookFailed):
        run(notebook("1 / 0"), tmp_path / "out.ipynb", {}, (tmp_path,))
    assert not (tmp_path / DIGESTS).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_kernel_and_what_it_started_too(notebook, tmp_path, number):
    """As with a training on several GPUs, whose processes are in sessions of their own."""
    training = "import time; time.sleep(3600)"
    cell = f"""
        import os, subprocess, sys
        training = subprocess.Popen([sys.executable, "-c", {training!r}], start_new_session=True)
        open("pids.part", "w").write(f"{{os.getpid()}} {{training.pid}}")
        os.replace("pids.part", "pids")
        training.wait()
        """
    (tmp_path / "build" / "sources").mkdir(parents=True)
    notebook(textwrap.dedent(cell)).rename(tmp_path / "build" / "sources" / "a.ipynb")
    variables = {name: value for name, value in os.environ.items() if name != OWNER} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "segsg.pipeline.notebook", "run", "a", "--out", "out.ipynb"]
    runner = subprocess.Popen(command, cwd=tmp_path, env=variables)
    while not (tmp_path / "pids").exists():
        assert runner.poll() is None, "it ended before the cell had begun"
        time.sleep(0.05)
    others = [psutil.Process(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    runner.send_signal(number)
    assert runner.wait() == 128 + number
    assert not any(map(alive, others))
    assert not (tmp_path / "out.ipynb").exists()


def test_progress_is_text_and_the_parameters_of_the_run_are_the_ones_seen(tmp_path, capfd):
    source = "from tqdm.auto import tqdm\nfor _ in tqdm(range(2), desc='steps'):\n    pass"
    path = write(
        tmp_path / "a.ipynb", cell("x = 'a'", metadata={"tags": ["parameters"]}), cell(source), metadata=KERNEL
    )
    run(path, tmp_path / "out.ipynb", {"x": "b"})
    written, ran, looped = json.loads((tmp_path / "out.ipynb").read_text())["cells"]
    assert written["metadata"]["jupyter"] == {"source_hidden": True} and "jupyter" not in ran["metadata"]
    assert {output["output_type"] for output in looped["outputs"]} == {"stream"}
    assert "steps: 100%" in capfd.readouterr().err
