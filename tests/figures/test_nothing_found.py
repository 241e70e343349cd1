"""A photo in which a model finds no pair, or no region at all, as SGDet may: every picture and cell goes on without."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from IPython.display import Image
from made_seen import BOXES, HALF, LABELS, PARAMS, RIGHT
from scenes import PREDICATES, SIDE

from segsg.evaluation.matching import MISSED, rank
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.ranks import Ranks
from segsg.evaluation.records import Prediction
from segsg.figures import borrowed, explore, figures, overlay, pictures
from segsg.figures.album import Album, read_album
from segsg.figures.seen import answers
from segsg.figures.shown import choose
from segsg.files import ROOT
from segsg.structures import ImageGraph


def without(regions: int):
    """RIGHT, with so many of its regions and no pair."""
    nothing = Prediction(
        BOXES[:regions],
        LABELS[:regions],
        np.ones(regions, np.float32),
        np.zeros((0, 2), dtype=np.int64),
        np.zeros((0, PREDICATES), np.float32),
    )
    ranking = rank(nothing, 20)[0]
    found = answers(RIGHT.truth, nothing, ranking, zero_shot=np.zeros((0, 3), dtype=int), protocol=DEFAULT)
    return replace(RIGHT, prediction=nothing, answers=found)


@pytest.fixture(params=[3, 1, 0], ids=["no pair", "one region", "no region"])
def seen(request):
    return without(request.param)


def test_there_is_no_surest_pair_and_no_relation(seen):
    assert explore.surest_pair(seen) is None
    assert explore.surest(seen, 12).empty
    assert list(explore.surest(seen, 12)) == ["subject", "predicate", "object", "score", "annotated"]
    assert explore.found(seen, DEFAULT) == [None, None]


def test_the_other_model_has_found_what_is_there(seen):
    table = explore.compared(seen, HALF, DEFAULT, depth=20)
    assert table["found by"].tolist() == ["neither", "base"] and table["seg"].isna().all()


def test_the_matrix_of_edges_is_blank(seen):
    scores, words = explore.edges(seen)
    regions = len(seen.prediction.labels)
    assert scores.shape == (regions, regions) and np.isnan(scores).all() and len(words) == regions
    figure = explore.edge_matrix(scores, words, explore.region_names(seen.prediction.labels, seen))
    assert explore.png(figure).startswith(b"\x89PNG")
    assert not figure.axes[0].texts


def test_its_picture_says_so(seen, tmp_path):
    drawn = pictures.picture(seen, "title")
    assert drawn.relations == () and drawn.words == "no relation found"
    album = Album(tmp_path)
    album.add_pairs([(pictures.picture(HALF, "other"), drawn), (drawn, drawn)], "caption")
    album.add_pictures([drawn], "caption")
    album.close()
    assert [entry.words for entry in read_album(tmp_path)][-2:] == [
        "Without masks: no relation found. With: no relation found",
        "A photo and its graph: no relation found",
    ]


def test_no_photo_at_all_is_an_empty_list(tmp_path):
    album = Album(tmp_path)
    assert (
        album.add_pairs([], "caption") == album.add_pictures([], "caption") == album.add_borrowed([], "caption") == []
    )
    album.close()
    assert read_album(tmp_path) == []


def cells(name: str, first: str) -> list[str]:
    """Code of a notebook from the cell on that begins so."""
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    (place,) = [place for place, source in enumerate(code) if source.startswith(first)]
    return code[place:]


def test_every_cell_of_the_exploring_notebook_runs(seen, capsys):
    shown = []
    names = {
        "key": "seg", "other": "base", "params": PARAMS, "place": 0, "measured": {"seg": {}, "base": {}},
        "first": seen.experiment, "second": HALF.experiment, "explore": explore, "figures": figures,
        "overlay": overlay, "Image": Image, "display": lambda *pictures: shown.extend(pictures),
        "measurements": SimpleNamespace(protocol=lambda params: DEFAULT),
        "pictures": pictures,
        "seen": SimpleNamespace(see=lambda experiment, *_: seen if experiment is seen.experiment else HALF),
        "Dropdown": dict, "IntSlider": lambda *_, **__: None, "choose": lambda function, **choices: None,
    }  # fmt: skip
    for source in cells("explore", "one, two ="):
        exec(compile(source, "explore.ipynb", "exec"), names)
    assert (
        "no pair: seg relates no regions of this image; set `image` to another place above" in capsys.readouterr().out
    )
    assert len(shown) == bool(len(seen.prediction.labels))  # the Gaussians of the classes, if there are any


def test_the_gallery_shows_a_photo_without_a_pair(seen, monkeypatch):
    parts = (getattr(seen.prediction, name) for name in ("boxes", "labels", "scores", "pairs"))
    probabilities = torch.from_numpy(seen.prediction.predicate_probabilities)
    masks = torch.full((len(seen.prediction.labels), 28, 28), 0.9)
    graph = ImageGraph(7, *map(torch.from_numpy, parts), probabilities, masks)
    batch = SimpleNamespace(to=lambda device: None)
    for module, name, value in (
        (pictures.scene_graphs, "load_model", lambda *_: SimpleNamespace(predict=lambda batch: [graph])),
        (pictures.facts, "load", lambda *_: seen.experiment.facts),
        (pictures.sets, "scene_graph_set", lambda *_: None),
        (pictures.sets, "first", lambda *_: [seen.sample]),
        (pictures.sets, "all_batches", lambda *_, **__: [batch]),
    ):
        monkeypatch.setattr(module, name, value)
    (drawn,) = pictures.predicted_pictures(PARAMS, "seg", 1)
    assert drawn.relations == () and len(drawn.names) == len(seen.prediction.labels)
    assert explore.png(overlay.scene_graph_overlay(drawn))


def test_masks_without_a_region_or_a_contact_are_drawn():
    image, boxes = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8), torch.zeros(0, 4)
    bare, masks = overlay.Picture(image, boxes, (), None, ()), torch.zeros(0, SIDE, SIDE, dtype=torch.bool)
    assert borrowed.contacts(boxes, {}) == []
    figure = overlay.contacts_overlay(bare, {"borrowed": masks, "pixel-refined": masks}, [])
    assert len(figure.axes) == 3 and explore.png(figure)


def test_photos_are_drawn_at_random_where_nobody_finds_anything():
    """R@20 of every image is 0 for both models, so none gains and none loses."""
    missed = np.full(4, MISSED)
    ranks = Ranks(
        image_ids=np.arange(4), boxes=np.full(4, 2), predicted=np.zeros(4, dtype=bool), image=np.arange(4),
        triplets=np.ones((4, 3), dtype=int), constrained=missed, free=missed, predicates=PREDICATES, protocol=DEFAULT,
    )  # fmt: skip
    choice = choose(ranks, ranks, depth=20, each=3, seed=0)
    assert choice.gains == choice.losses == [] and len(set(choice.random)) == 3
