import json

import pytest

from segsg.pipeline.cleaning import clean, clean_text, parameter_names, unclean


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
    clean(tmp_path, tmp_path)
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
