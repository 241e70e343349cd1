"""The relater: probabilities of predicates for any names and boxes, and what is said of a damaged folder."""

import json
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from segsg.data.words import WordVectors
from segsg.files import DataError
from segsg.kernels.geometry import pair_geometry
from segsg.models.names_and_boxes import PairNetwork
from segsg.photos.relater import Calibration, Relater, lifted, load_relater, save_relater

NAMES, PREDICATES = ("person", "horse"), ("ride", "near", "wear")
BOXES = torch.tensor([[0.0, 0, 10, 10], [3, 4, 20, 30], [3, 4, 3, 4]])
PAIRS = torch.tensor([[0, 1], [1, 0], [2, 0]])


@pytest.fixture
def relater():
    torch.manual_seed(0)
    return Relater(
        networks=[PairNetwork(words=3, hidden=4, predicates=4, dropout=0.5) for _ in range(2)],
        vectors=torch.randn(2, 2, 3),
        lift=torch.tensor([0.0, 0.0, 0.5, 1.0]),
        names=NAMES,
        predicates=PREDICATES,
        calibration=Calibration(0.8, -0.3, 0.25),
    ).eval()


def words(tmp_path: Path, text="pony 0.5 1 2\n"):
    (tmp_path / "words.txt").write_text(text)
    return WordVectors.read(tmp_path / "words.txt", ["pony"])


def test_probabilities_by_hand(relater):
    said = relater.relate(["horse", "person", "horse"], BOXES, PAIRS)
    for k, (subject, role_object) in enumerate(PAIRS.tolist()):
        geometry = pair_geometry(BOXES[[subject]], BOXES[[role_object]])
        mean = 0
        for network, vectors in zip(relater.networks, relater.vectors, strict=True):
            row = {0: vectors[1:], 1: vectors[:1], 2: vectors[1:]}
            mean = mean + network(row[subject], row[role_object], geometry)[0].softmax(dim=0) / 2
        raised = mean * relater.lift.exp()
        logit = (raised / raised.sum())[1:].logit()
        wanted = (0.8 * logit - 0.3).sigmoid()
        assert_close(said[k, 1:], wanted, atol=1e-5, rtol=1e-4)
        assert_close(said[k, 0], 1 - wanted.max(), atol=1e-5, rtol=1e-4)


def test_no_region_and_no_pair(relater):
    assert relater.relate([], torch.zeros(0, 4), torch.zeros(0, 2, dtype=torch.long)).shape == (0, 4)


def test_lifting_nothing_changes_nothing():
    probabilities = torch.rand(3, 4).softmax(dim=1)
    assert_close(lifted(probabilities, torch.zeros(4)), probabilities)


def test_a_name_without_a_vector_is_named(relater):
    with pytest.raises(ValueError, match="no vector for the name pony; give a file of word vectors"):
        relater.relate(["pony"], BOXES[:1], PAIRS[:0])


def test_word_vectors_make_more_names_known(relater, tmp_path):
    wider = relater.with_words(words(tmp_path), ["pony", "person", "pony"])
    assert wider.names == ("person", "horse", "pony")
    assert_close(wider.vectors[1, 2], torch.tensor([0.5, 1, 2]))
    old = relater.relate(["person", "horse"], BOXES[:2], PAIRS[:2])
    assert_close(wider.relate(["person", "horse"], BOXES[:2], PAIRS[:2]), old)
    assert wider.relate(["pony", "horse"], BOXES[:2], PAIRS[:2]).isfinite().all()
    assert relater.with_words(words(tmp_path), NAMES) is relater


def test_word_vectors_of_another_width_are_refused(relater, tmp_path):
    with pytest.raises(ValueError, match="word vectors have 2 numbers, and this relater wants 3"):
        relater.with_words(words(tmp_path, "pony 1 2\n"), ["pony"])


def test_what_is_saved_is_what_is_loaded(relater, tmp_path):
    save_relater(relater, tmp_path, {"R@50": 0.5})
    loaded = load_relater(tmp_path)
    asked = ["horse", "person", "horse"], BOXES, PAIRS
    assert_close(loaded.relate(*asked), relater.relate(*asked), atol=2e-3, rtol=2e-2)
    assert (loaded.names, loaded.predicates, loaded.calibration) == (NAMES, PREDICATES, relater.calibration)
    assert json.loads((tmp_path / "relater.json").read_text())["measured"] == {"R@50": 0.5}


def changed(folder, **parts):
    path = folder / "relater.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"version": 2}, "is not of format segsg-relater, version 1"),
        ({"sha256": "0"}, "is missing or is not the one of relater.json"),
        ({"names": ["person"]}, "weights: do not fit relater.json"),
        ({"names": ["person", "person"]}, "appears more than once"),
        ({"predicates": "ride"}, "'predicates' is 'ride', not a list"),
        ({"shape": {"members": 0, "words": 3, "hidden": 4}}, "'members' is 0, less than 1"),
        ({"shape": {"members": 2, "words": 3, "hidden": 10**9}}, "more than 4096"),
        ({"shape": {"members": 2, "words": 3, "hidden": 5}}, "weights: do not fit relater.json"),
        ({"calibration": {"slope": -1, "offset": 0, "threshold": 0}}, "are not slope > 0"),
        ({"calibration": {"slope": 1, "offset": 0, "threshold": 2}}, "a threshold in 0..1"),
        ({"calibration": {"slope": 1, "offset": "0", "threshold": 0}}, "are not slope > 0"),
    ],
)
def test_a_damaged_folder_is_refused(relater, tmp_path, parts, rule):
    save_relater(relater, tmp_path, {})
    changed(tmp_path, **parts)
    with pytest.raises(DataError, match=rule):
        load_relater(tmp_path)


def test_a_folder_without_weights_is_refused(relater, tmp_path):
    save_relater(relater, tmp_path, {})
    (tmp_path / "relater.safetensors").unlink()
    with pytest.raises(DataError, match=r"relater.safetensors: file: is missing"):
        load_relater(tmp_path)
    with pytest.raises(DataError, match=r"relater.json: file: cannot be read"):
        load_relater(tmp_path / "nowhere")
