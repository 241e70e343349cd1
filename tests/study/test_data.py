"""Which mask images detectors and refinement may see."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from segsg.study import detectors, scene_graphs, sets
from segsg.study.params import DetectorRow, Params, Refinement, read_section
from segsg.study.profile import resolve

REFINED = "method: seg-grounded, task: predcls, grounding: {refinement: inference}"
APART = f"{{model: motifs, detector: fpn-joint-disjoint, {REFINED}}}"
ROW = f"grid.rows={{apart: {APART}}}"
PARAMS = read_section(Params, resolve("smoke", [ROW]), "test")
JOINT, DISJOINT = "smoke-fpn-joint", "smoke-fpn-joint-disjoint"
SHARED = {"train": [1, None], "validation": [None, 2], "test": [None, 4]}
WITHOUT_RELATIONS = {"train": [], "validation": [], "test": [6]}


class Masks:
    image_ids, vocabulary = (1, 2, 3, 4, 5, 6, 7, 8), None

    def __len__(self):
        return len(self.image_ids)

    def __getitem__(self, index):
        raise AssertionError("no image is opened here")

    annotation = __getitem__


def graphs(params, split, keep_empty=False, read=None):
    shared = SHARED[split] + (WITHOUT_RELATIONS[split] if keep_empty else [])
    return SimpleNamespace(shared_ids=shared, image_ids=list(range(90, 90 + len(shared))))


@pytest.fixture(autouse=True)
def image_sets(monkeypatch):
    """A mask set of images 1 to 8, of which the scene graph set has 1 (training), 2 (validation), 4 and 6 (test)."""
    monkeypatch.setattr(sets, "mask_set", lambda params, split, read=None: Masks())
    monkeypatch.setattr(sets, "judged_mask_set", lambda params: Masks())
    monkeypatch.setattr(sets, "scene_graph_set", graphs)


@pytest.fixture
def trained_on(monkeypatch):
    """The sources that a training run was given: data sets themselves instead of batches of them."""
    found = {}

    def remember(model, sources, **rest):
        found.update(sources)

    for name in ("mask_batches", "object_batches", "relation_batches"):
        monkeypatch.setattr(sets, name, lambda params, dataset, *rest, **more: dataset)
    monkeypatch.setattr(sets, "trained_on", lambda params: [])
    known = SimpleNamespace(names=SimpleNamespace(predicates=()))
    for module in (detectors, scene_graphs):
        monkeypatch.setattr(module, "digest", lambda path: "")
        monkeypatch.setattr(module.runs, "train", remember)
        monkeypatch.setattr(module.facts, "load", lambda params: known)
    return found


def with_images(images):
    return replace(PARAMS, refinement=Refinement(images, 8, 1))


def test_rows_say_which_detector_is_disjoint():
    assert PARAMS.detectors[DISJOINT] == DetectorRow("resnext-tiny-fpn", joint=True, seed=0, disjoint=True)
    assert not PARAMS.detectors[JOINT].disjoint


@pytest.mark.parametrize(("key", "seen"), [(JOINT, [1, 2, 3, 4, 5, 6, 7, 8]), (DISJOINT, [1, 3, 5, 7, 8])])
def test_a_disjoint_detector_trains_without_validation_and_test_images(key, seen, trained_on, monkeypatch, tmp_path):
    monkeypatch.setattr(detectors, "make_detector", lambda facts, numbers, row: None)
    detectors.train_detector(PARAMS, key, tmp_path)
    assert list(trained_on["mask_losses"].image_ids) == seen
    assert trained_on["losses"].image_ids == [90, 91]


@pytest.mark.parametrize(("images", "seen"), [(0, [1, 3, 5, 7, 8]), (2, [1, 5])])
def test_refinement_on_a_disjoint_detector_sees_no_shared_image_either(images, seen, trained_on, monkeypatch, tmp_path):
    params, key = with_images(images), "smoke-apart"
    monkeypatch.setattr(scene_graphs, "untrained", lambda params, row, known: None)
    monkeypatch.setattr(scene_graphs, "read_images", lambda params, row, split: None)
    scene_graphs.train_scene_graph(params, key, tmp_path)
    assert list(trained_on["mask_losses"].image_ids) == seen
    assert list(sets.refinement_set(params, params.detectors[JOINT]).image_ids)[:2] == (
        [1, 2] if images == 0 else [1, 5]
    )


@pytest.mark.parametrize("key", [JOINT, DISJOINT])
def test_looks_are_stored_of_the_images_that_refinement_will_ask_for(key, monkeypatch, tmp_path):
    stored = {}

    def write(detector, batches, out, *, task, domain):
        stored[(domain, task)] = list(batches)

    monkeypatch.setattr(detectors, "load_detector", lambda params, key: SimpleNamespace(to=lambda device: None))
    monkeypatch.setattr(detectors, "write_looks", write)
    images = SimpleNamespace(to=lambda device: "batch")
    asked = []
    monkeypatch.setattr(sets, "all_batches", lambda params, dataset: asked.append(list(dataset.image_ids)) or [images])
    params = with_images(3)
    detectors.cache_looks(params, key, tmp_path)
    wanted = list(sets.refinement_set(params, params.detectors[key]).image_ids)
    assert stored.keys() == {(domain, task) for domain in ("graph", "mask") for task in ("sgcls", "sgdet")}
    of_graphs, of_masks = [[90, 91], [90, 91], [90, 91]], [wanted, list(Masks.image_ids)]
    assert asked == [*of_graphs, *of_graphs, *of_masks, *of_masks]
    assert (2 in wanted or 4 in wanted or 6 in wanted) == (key == JOINT)
