"""notebooks/71_choose.ipynb runs on the bundle and the samples of the project, without a study."""

import json

from segsg.files import ROOT
from segsg.pipeline.notebook import run


def test_lists_to_choose_from_show_a_picture_and_its_relations(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run(ROOT / "notebooks" / "71_choose.ipynb", tmp_path / "executed.ipynb", {"bundles": "bundles"})
    notebook = json.loads((tmp_path / "executed.ipynb").read_text(encoding="utf-8"))
    state = json.dumps(notebook["metadata"]["widgets"])
    assert "Dropdown" in state and "image/png" in state and "text/html" in state and "Traceback" not in state
