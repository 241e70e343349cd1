"""The same photos with the graphs of two experiments, chosen by a rule, true relations marked."""

from collections.abc import Iterator
from pathlib import Path

from segsg.evaluation.choice import Choice, choose
from segsg.evaluation.ranks import load
from segsg.figures.overlay import Picture
from segsg.study import summary
from segsg.study.params import Params
from segsg.study.seen import open_experiment, picture, see

DEPTH = 20
KINDS = {"gains": "better with masks", "losses": "worse with masks", "random": "drawn at random"}


def chosen_images(params: Params, evaluations: Path, each: int) -> Choice:
    """Test images for the pair of experiments that the report shows."""
    before, after = (load(evaluations / key / "ranks.npz") for key in summary.compared_experiments(params))
    return choose(before, after, DEPTH, each, params.seed)


def compared_pictures(params: Params, choice: Choice) -> Iterator[tuple[Picture, Picture]]:
    """Of each chosen photo, the graph of the baseline and of the seg-grounded model."""
    kinds = {image_id: text for kind, text in KINDS.items() for image_id in getattr(choice, kind)}
    both = [_pictures(params, key, kinds) for key in summary.compared_experiments(params)]
    return zip(*both, strict=True)


def _pictures(params: Params, key: str, kinds: dict[int, str]) -> Iterator[Picture]:
    experiment = open_experiment(params, key)
    places = {image_id: index for index, image_id in enumerate(experiment.photos.image_ids)}
    for image_id, kind in kinds.items():
        yield picture(see(experiment, places[image_id], DEPTH), f"Image {image_id}, {kind}: {key}")
