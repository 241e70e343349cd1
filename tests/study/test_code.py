"""Which code counts: what is reached, and what it does rather than how it is written."""

import shutil

import pytest

from segsg.files import ROOT
from segsg.study import code

STAGE = ["segsg.study.scene_graphs"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the package's text, in which files may be changed."""
    shutil.copytree(ROOT / "segsg", tmp_path / "segsg", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def meanings() -> dict[str, str]:
    return {model: code.meaning(STAGE, [model]) for model in ("imp", "motifs")}


@pytest.mark.parametrize(
    ("file", "changed"),
    [("models/imp.py", {"imp"}), ("models/parts.py", {"imp", "motifs"}), ("report/html.py", set()),
     ("models/vctree.py", set())],
)  # fmt: skip
def test_a_row_depends_on_its_own_models_code_and_on_what_all_use(file, changed, project):
    before = meanings()
    path = project / "segsg" / file
    path.write_text(path.read_text(encoding="utf-8") + "\nANOTHER = 1\n", encoding="utf-8")
    after = meanings()
    assert {model for model in before if before[model] != after[model]} == changed


def test_words_about_code_and_its_layout_do_not_count():
    plain = "def f(x):\n    return x\n"
    written = '"""A module."""\n\n\ndef f(\n    x,\n):\n    """Returns x."""\n    return x  # as it is\n'
    assert code.statements(plain) == code.statements(written)
    assert code.statements(plain) != code.statements("def f(x):\n    return 'x'\n")


def test_the_models_own_file_is_reached_by_its_name():
    assert "segsg/models/imp.py" in code.record(STAGE, ["imp"])
    assert "segsg/models/motifs.py" not in code.record(STAGE, ["imp"])


@pytest.mark.parametrize(
    ("file", "changed"),
    [("grounding/refiner.py", {"used"}), ("kernels/colours.py", {"used"}), ("grounding/edges.py", {"used", "unused"})],
)
def test_code_that_a_row_does_not_use_changes_nothing_for_it(file, changed, project):
    """Nor does code that it alone reaches."""

    def both():
        apart = {"used": [], "unused": ["segsg.grounding.refiner"]}
        return {name: code.meaning(STAGE, ["imp"], modules) for name, modules in apart.items()}

    before = both()
    path = project / "segsg" / file
    path.write_text(path.read_text(encoding="utf-8") + "\nANOTHER = 1\n", encoding="utf-8")
    after = both()
    assert {name for name in before if before[name] != after[name]} == changed
