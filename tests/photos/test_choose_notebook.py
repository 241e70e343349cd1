"""notebooks/71_choose.ipynb runs on the bundles and the samples of the project, without a study."""

import json

from segsg.files import ROOT
from segsg.pipeline.notebook import run


def test_two_models_show_a_picture_and_its_relations(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run(ROOT / "notebooks" / "71_choose.ipynb", tmp_path / "executed.ipynb", {"bundles": "bundles"})
    cells = json.loads((tmp_path / "executed.ipynb").read_text(encoding="utf-8"))["cells"]
    kinds = [kind for cell in cells for output in cell.get("outputs", []) for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    assert kinds.count("text/html") == 2
