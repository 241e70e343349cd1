"""Executed notebooks as pages: what stays, what goes, and how large a page may be."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from segsg.files import DataError
from segsg.report import notebooks
from segsg.report.notebooks import Link, chosen, links, once, page, write


def text(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": [source]}


def code(source: str, *outputs: dict, tags=()) -> dict:
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": list(outputs),
        "execution_count": 3,
    }


def said(words: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": [words]}


def shown(**data) -> dict:
    kinds = {kind.replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": kinds}


def png(side: int) -> str:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def executed(folder, name: str, *cells: dict):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    return path


def test_text_code_and_outputs_are_on_the_page_and_progress_is_not(tmp_path):
    cells = (text("# The rows\n**Makes** a thing"), code("1 + 1", said("a <b>\n"), said("12%|##", "stderr")))
    html = page(executed(tmp_path, "30_rows-mini-a", *cells))
    assert "<title>The rows (mini-a) · segsg · 30_rows-mini-a</title>" in html
    assert "a &lt;b&gt;" in html and "12%" not in html and "<strong>Makes</strong>" in html
    assert "http:" not in html and "https:" not in html and "<script" not in html


def test_parameters_are_shown_once_with_the_values_of_the_run(tmp_path):
    written, ran = code("x = 'as written'", tags=["parameters"]), code("x = 'ran'", tags=["injected-parameters"])
    assert once([written, ran]) == [ran] and once([written]) == [written]
    html = page(executed(tmp_path, "a", written, ran))
    assert "ran" in html and "as written" not in html


def test_a_picture_is_stored_as_jpeg_where_that_is_smaller(tmp_path):
    html = page(executed(tmp_path, "a", code("x", shown(image_png=png(200)))))
    assert "data:image/jpeg;base64," in html and "image/png" not in html
    flat = io.BytesIO()
    Image.new("1", (4, 4)).save(flat, "PNG")
    html = page(executed(tmp_path, "b", code("x", shown(image_png=base64.b64encode(flat.getvalue()).decode()))))
    assert "data:image/png;base64," in html


def test_the_largest_output_of_a_page_that_is_too_long_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "MOST_BYTES", 20_000)
    html = page(executed(tmp_path, "a", code("x", shown(image_png=png(300)), said("kept"))))
    assert "which only the notebook itself has" in html and "kept" in html and len(html) < 60_000


def test_a_long_text_is_cut(tmp_path):
    html = page(executed(tmp_path, "a", code("x", said("line\n" * 250))))
    assert "(50 more lines)" in html and html.count("line\n") == 200


def test_of_each_kind_the_first_is_shown_and_every_table(tmp_path):
    shared, own = tmp_path / "mini", tmp_path / "mini-seeds"
    for name in ("30_rows-b", "30_rows-a", "10_data", "50_table-table1", "50_table-predicates", "60_gallery.part"):
        executed(shared, name, text(f"# {name}"))
    executed(own, "50_table-table1", text("# own"))
    names = chosen([shared, own])
    assert list(names) == ["10_data", "30_rows-a", "50_table-predicates", "50_table-table1"]
    assert names["50_table-table1"].parent == own
    found = write(tmp_path / "html" / "notebooks", [shared, own])
    assert (
        found
        == links(tmp_path / "html" / "notebooks")
        == [
            Link("index", "10_data", "notebooks/10_data.html"),
            Link("curves", "30_rows-a (a)", "notebooks/30_rows-a.html"),
            Link("supplement", "50_table-predicates (predicates)", "notebooks/50_table-predicates.html"),
            Link("table1", "own (table1)", "notebooks/50_table-table1.html"),
        ]
    )


def test_nothing_executed_makes_nothing(tmp_path):
    assert write(tmp_path / "notebooks", [tmp_path / "nowhere"]) == []


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"cells": [1]}'])
def test_a_file_that_is_no_notebook_is_named_and_the_older_pages_stay(tmp_path, content):
    write(tmp_path / "notebooks", [executed(tmp_path / "a", "10_data", text("# Data")).parent])
    (tmp_path / "a" / "10_data.ipynb").write_text(content)
    with pytest.raises(DataError, match=r"10_data\.ipynb: file: is no executed notebook"):
        write(tmp_path / "notebooks", [tmp_path / "a"])
    assert len(links(tmp_path / "notebooks")) == 1
