"""Executed notebooks as pages: what stays, what goes, and how large a page may be."""

import base64
import io
import json

import made_report
import numpy as np
import pytest
from made_results import PAPER
from PIL import Image

from segsg.files import DataError
from segsg.report import html as report
from segsg.report import notebooks
from segsg.report.notebooks import Link, behind, chosen, once, write


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


def picture(form: str, data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data.partition(f"data:image/{form};base64,")[2].partition('"')[0])))


def page(path) -> str:
    """The page of the only notebook in a folder."""
    out = path.parent.parent / "pages"
    (name,) = write(out, [path.parent])
    return (out / f"{name}.html").read_text()


def executed(folder, name: str, *cells: dict):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    return path


def test_text_code_and_outputs_are_on_the_page_and_progress_is_not(tmp_path):
    cells = (text("# The rows\n**Makes** a thing"), code("1 + 1", said("a <b>\n"), said("12%|##", "stderr")))
    html = page(executed(tmp_path / "executed", "30_rows-mini-a", *cells))
    assert "<title>The rows (mini-a) · segsg · 30_rows-mini-a</title>" in html
    assert "a &lt;b&gt;" in html and "12%" not in html and "<strong>Makes</strong>" in html
    assert "http:" not in html and "https:" not in html and "<script" not in html


def test_parameters_are_shown_once_with_the_values_of_the_run(tmp_path):
    written, ran = code("x = 'as written'", tags=["parameters"]), code("x = 'ran'", tags=["injected-parameters"])
    assert once([written, ran]) == [ran] and once([written]) == [written]
    html = page(executed(tmp_path / "executed", "a", written, ran))
    assert "ran" in html and "as written" not in html


def test_a_photo_is_stored_as_jpeg_and_a_chart_as_png_of_few_colours(tmp_path):
    html = page(executed(tmp_path / "photo", "a", code("x", shown(image_png=png(200)))))
    assert "data:image/jpeg;base64," in html and "image/png" not in html
    stream = io.BytesIO()
    chart = Image.new("RGBA", (400, 300), "white")
    chart.paste("red", (0, 0, 200, 100))
    chart.save(stream, "PNG", compress_level=0)
    html = page(
        executed(tmp_path / "chart", "a", code("x", shown(image_png=base64.b64encode(stream.getvalue()).decode())))
    )
    small = picture("png", html).convert("RGB")
    assert len(html) < 60_000 and small.size == (400, 300)
    assert small.getpixel((10, 10)) == (255, 0, 0) and small.getpixel((300, 200)) == (255, 255, 255)


def test_a_picture_is_no_wider_than_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "MOST_WIDTH", 100)
    html = page(executed(tmp_path / "a", "a", code("x", shown(image_png=png(200)))))
    assert picture("jpeg", html).size == (100, 100)


def test_of_two_forms_of_an_output_the_richest_stays(tmp_path):
    output = shown(text_html="<table><tr><td>1.5</td></tr></table>", text_plain="poor")
    cells = notebooks.shortened([code("x", output, shown(text_plain="alone"))])
    assert [output["data"] for output in cells[0]["outputs"]] == [
        {"text/html": "<table><tr><td>1.5</td></tr></table>"},
        {"text/plain": "alone"},
    ]


def test_the_largest_output_of_a_page_that_is_too_long_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "MOST_BYTES", 20_000)
    html = page(executed(tmp_path / "executed", "a", code("x", shown(image_png=png(300)), said("kept"))))
    assert "which only the notebook itself has" in html and "kept" in html and len(html) < 60_000


def test_a_long_text_is_cut(tmp_path):
    html = page(executed(tmp_path / "executed", "a", code("x", said("line\n" * 250))))
    assert "(50 more lines)" in html and html.count("line\n") == 200


def test_every_table_is_shown_and_of_other_kinds_one_with_masks(tmp_path):
    shared, own = tmp_path / "mini", tmp_path / "mini-seeds"
    rows = ("30_rows-p-vgg", "30_rows-p-fpn-joint-disjoint", "30_rows-p-fpn-joint", "30_rows-p-fpn-joint-s1")
    others = ("10_data", "24_refiner-b", "24_refiner-a", "50_table-table1", "50_table-predicates")
    for name in (*rows, *others, "60_gallery.part", "explore"):
        executed(shared, name, text(f"# {name}"))
    executed(own, "50_table-table1", text("# own"))
    names = chosen([shared, own])
    shown = ["10_data", "24_refiner-a", "30_rows-p-fpn-joint", "50_table-predicates", "50_table-table1"]
    assert list(names) == shown
    assert names["50_table-table1"].parent == own
    found = write(tmp_path / "html" / "notebooks", [shared, own])
    assert list(found) == shown
    assert found["50_table-table1"] == Link("own (table1)", "notebooks/50_table-table1.html")
    assert (tmp_path / "html" / found["30_rows-p-fpn-joint"].href).is_file()


def test_a_page_links_to_the_notebooks_behind_its_tables():
    names = ("10_data", "27_transfer", "30_rows-a", "50_table-table1", "50_table-table3", "60_gallery")
    made = {name: Link(name, "") for name in names}
    titles = {
        page: [link.title for link in behind(made, page, report.ON_PAGE.get(page, ()))]
        for page in ("index", "table1", "transfer", "gallery", "reading")
    }
    assert titles == {
        "index": list(names),
        "table1": ["10_data", "30_rows-a", "50_table-table1"],
        "transfer": ["10_data", "27_transfer"],
        "gallery": ["60_gallery"],
        "reading": [],
    }


def test_every_page_and_notebook_that_is_named_exists(request):
    folder = request.config.rootpath / "notebooks"
    kinds = {kind for named in notebooks.BEHIND.values() for kind in named} | {
        *notebooks.FOR_A_SCREEN,
        notebooks.TABLES,
    }
    assert {path.stem for path in folder.glob("*.ipynb")} >= kinds
    assert report.PAGES.keys() >= notebooks.BEHIND.keys() | {notebooks.FIRST}


def test_a_report_holds_its_notebooks_and_links_to_them(tmp_path):
    folder = made_report.make_report(tmp_path)
    executed(tmp_path / "executed", "50_table-table1", text("# A table"))
    report.write(folder, PAPER, [tmp_path / "executed"])
    link = '<a href="notebooks/50_table-table1.html">A table (table1)</a>'
    assert {page for page in report.PAGES if link in (folder / "html" / f"{page}.html").read_text()} == {
        "index",
        "table1",
    }
    assert (folder / "html" / "notebooks" / "50_table-table1.html").is_file()
    report.write(folder, PAPER)
    assert "Step by step" not in (folder / "html" / "index.html").read_text()


def test_nothing_executed_makes_nothing(tmp_path):
    assert write(tmp_path / "notebooks", [tmp_path / "nowhere"]) == {}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"cells": [1]}'])
def test_a_file_that_is_no_notebook_is_named_and_the_older_pages_stay(tmp_path, content):
    write(tmp_path / "notebooks", [executed(tmp_path / "a", "10_data", text("# Data")).parent])
    (tmp_path / "a" / "10_data.ipynb").write_text(content)
    with pytest.raises(DataError, match=r"10_data\.ipynb: file: is no executed notebook"):
        write(tmp_path / "notebooks", [tmp_path / "a"])
    assert [path.name for path in (tmp_path / "notebooks").iterdir()] == ["10_data.html"]
