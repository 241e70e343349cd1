"""The parts of the shipped bundle, and the bundle itself."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import segsg
from segsg.detection.coco_classes import COCO_CLASSES
from segsg.detection.ssd import SsdLite
from segsg.figures.style import save
from segsg.files import ROOT, DataError, digest, read_json, to_json
from segsg.grounding.box_masks import BoxMasks
from segsg.photos import make_photos, shipped
from segsg.photos.found import Finder, Found, Masker, Relater
from segsg.photos.graph import runs_of
from segsg.photos.input import read
from segsg.photos.photo_bundle import KERNEL, meetings

SHIPPED = ROOT / "bundles" / "photos"
SAMPLES = SHIPPED / "samples"


@pytest.fixture(scope="module")
def bundle():
    return segsg.load("photos", "cpu")


def test_the_shipped_bundle_has_all_three_parts(bundle):
    assert isinstance(bundle.finder, Finder)
    assert isinstance(bundle.masker, Masker)
    assert isinstance(bundle.relater, Relater)
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) < make_photos.MOST_BYTES


def test_a_cup_on_a_table_is_found_with_its_mask(bundle):
    graph = bundle.predict(SAMPLES / "coffee.jpg")
    first = graph.relations[0]
    names = [graph.regions[place].name for place in (first.subject, first.object)]
    assert (names[0], first.predicate, names[1]) == ("cup", "on", "dining table")
    cup = graph.regions[first.subject]
    left, top, right, bottom = cup.box
    assert 0.4 < cup.mask.sum() / ((right - left) * (bottom - top)) < 1
    assert first.where is not None


def test_photos_do_not_depend_on_those_beside_them(bundle):
    paths = sorted(SAMPLES.glob("*.jpg"))
    for graph, path in zip(bundle.predict_all(paths), paths, strict=True):
        alone = bundle.predict(path)
        assert [region.name for region in graph.regions] == [region.name for region in alone.regions]
        assert [r.score for r in graph.relations] == pytest.approx([r.score for r in alone.relations], abs=1e-3)


def test_a_photo_without_anything_and_one_of_a_pixel(bundle):
    for photo in (np.zeros((200, 300, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)):
        graph = bundle.predict(photo)
        assert graph.relations == ()


def test_every_name_that_is_found_can_be_related(bundle):
    assert all(bundle.knows(name) for name in COCO_CLASSES.values())
    assert not bundle.knows("forklift")


def test_given_masks_stay_and_missing_ones_are_found(bundle):
    photo = read(SAMPLES / "coffee.jpg")
    (found,) = bundle.finder.find([photo])
    mask = np.zeros(photo.shape[:2], bool)
    mask[100:200, 200:300] = True
    given = Found(found.names, found.scores, found.boxes, (runs_of(mask), *found.masks[1:]))
    (graph,) = bundle.relate_all([photo], [given])
    assert graph.regions[0].given
    assert (graph.regions[0].mask == mask).all()
    assert not graph.regions[1].given
    assert graph.regions[1].mask.any()


def test_masks_meet_where_both_are():
    left, right = (np.zeros((28, 56), bool) for _ in range(2))
    left[:, :30], right[:, 26:] = True, True
    boxes = np.array([[0, 0, 30, 28], [26, 0, 56, 28]], float)
    found = Found(("a", "b", "c"), np.ones(3), np.vstack([boxes, boxes[:1]]), (runs_of(left), runs_of(right), None))
    pairs = np.array([[0, 1], [1, 0], [0, 2]])
    one, other, unknown = meetings(found, pairs)
    assert unknown is None
    assert one.box == (0, 0, 56, 28)
    np.testing.assert_allclose(one.weights, other.weights)
    near = 13 - KERNEL // 2, 14 + KERNEL // 2
    assert not one.weights[:, : near[0] - 1].any()
    assert not one.weights[:, near[1] + 2 :].any()
    assert one.weights.max(axis=1).argmax() >= 0
    assert 13 <= one.weights[14].argmax() <= 14


def test_no_pair_meets_nowhere():
    assert meetings(Found((), np.zeros(0), np.zeros((0, 4)), ()), np.zeros((0, 2), np.int64)) == []


@pytest.mark.parametrize("settings", [{}, {"width": 0}, {"width": True}, {"width": 8, "x": 1}, {"width": 10**9}])
def test_a_masker_of_other_settings_is_refused(settings):
    with pytest.raises(ValueError, match="of box-masks: only 'width'"):
        shipped.box_masks(settings)


@pytest.mark.parametrize("settings", [{"scores": 1}, {"score": "high"}])
def test_a_finder_of_other_settings_is_refused(settings):
    with pytest.raises(ValueError, match="score"):
        shipped.coco_ssd(settings)


def test_a_relater_has_no_settings():
    with pytest.raises(ValueError, match="it has none"):
        shipped.names_and_boxes(SHIPPED / "relater", {"width": 3})


def test_photos_that_judge_it_are_not_among_those_that_it_was_trained_on():
    """By COCO's numbers and VRD's file names, which the bundle lists."""
    masks, relations = (read_json(SHIPPED / part / "photos.json") for part in ("masker", "relater"))
    judging = read_json(SHIPPED / "bundle.json")["trained"]["measured"]["ids"]
    counts = [len(seen[kind]) for seen in (masks, relations) for kind in ("trained", "judged")]
    assert (counts, len(judging)) == ([348, 80, 4000, 1000], 30)
    for photos in (*masks.values(), *relations.values(), judging):
        assert type(photos) is str or len(set(photos)) == len(photos)
    assert not set(masks["trained"]) & {*masks["judged"], *judging}
    assert not set(relations["trained"]) & set(relations["judged"])


def test_the_diagram_of_the_shipped_bundle_is_drawn_from_its_numbers(tmp_path):
    known = read_json(SHIPPED / "relater" / "relater.json")
    save(make_photos.diagram_of(known), tmp_path / "again.png")
    places = SHIPPED / "relater" / make_photos.DIAGRAM, tmp_path / "again.png"
    shown, again = (np.asarray(Image.open(path)) for path in places)
    assert shown.shape == again.shape and (shown == again).mean() > 0.95


@pytest.fixture
def parts(tmp_path):
    """Made-up weights of the detector and of the head, and all else as shipped."""
    torch.manual_seed(0)
    detector = SsdLite()
    save_file(detector.state_dict(), tmp_path / "ssd.safetensors")
    head = BoxMasks(detector.trunk, make_photos.WIDTH)
    save_file(head.state_dict(), tmp_path / "masks.safetensors")
    shutil.copyfile(SHIPPED / "masker" / "photos.json", tmp_path / "masks.photos.json")
    (tmp_path / "licence").mkdir()
    for name in ("LICENSE", "NOTICE"):
        shutil.copyfile(SHIPPED / name, tmp_path / "licence" / name)
    words = ["--detector", "ssd.safetensors", "--masks", "masks.safetensors", "--licence", "licence"]
    words = [word if word.startswith("--") else str(tmp_path / word) for word in words]
    return [*words, "--relater", str(SHIPPED / "relater"), "--out", str(tmp_path / "out")]


def run(monkeypatch, words):
    monkeypatch.setattr("sys.argv", ["make_photos", *words])
    return make_photos.main()


def test_a_bundle_is_made_of_its_parts(parts, tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    (tmp_path / "measured.json").write_text(to_json({"photos": 3, "figures": {"AP <b>": "1"}}))
    words = [*parts, "--samples", str(tmp_path / "samples"), "--measured", str(tmp_path / "measured.json")]
    assert run(monkeypatch, words) == 0
    made = segsg.load(tmp_path / "out", "cpu")
    weights = load_file(tmp_path / "masks.safetensors")["residual.weight"].half().float()
    assert torch.equal(made.masker.network.head.residual.weight, weights)
    assert "AP &lt;b&gt;" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert read_json(tmp_path / "out" / "bundle.json")["files"]["NOTICE"] == digest(SHIPPED / "NOTICE")


def test_a_bundle_that_is_too_large_is_not_written(parts, tmp_path, monkeypatch, capsys):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "big.jpg").write_bytes(bytes(make_photos.MOST_BYTES))
    assert run(monkeypatch, [*parts, "--samples", str(tmp_path / "samples")]) == 1
    assert "give smaller samples" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_changed_part_is_refused(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "photos")
    weights = tmp_path / "photos" / "relater" / "relater.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match="another SHA-256"):
        segsg.load(tmp_path / "photos", "cpu")
