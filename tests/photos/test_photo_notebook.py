import json

from segsg.files import ROOT
from segsg.pipeline.notebook import run


def test_the_notebook_about_photos_runs_on_the_bundle_of_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run(ROOT / "notebooks" / "70_photo.ipynb", tmp_path / "executed.ipynb", {})
    cells = json.loads((tmp_path / "executed.ipynb").read_text(encoding="utf-8"))["cells"]
    kinds = [kind for cell in cells for output in cell.get("outputs", []) for kind in output.get("data", {})]
    assert kinds.count("image/png") == 3
    assert kinds.count("text/html") == 2  # a table, and the page
