"""The same photos with the graphs of two experiments, chosen by a rule, true relations marked."""

from collections.abc import Iterator
from pathlib import Path

import torch

from segsg.build import data, measurements, pictures, runs, scene_graphs, summary
from segsg.build.annotated import class_names
from segsg.build.answers import Answers, answers
from segsg.data.filters import Subset
from segsg.data.vocabulary import Vocabulary
from segsg.evaluation.choice import Choice, choose
from segsg.evaluation.ranking import rank
from segsg.evaluation.ranks import load
from segsg.evaluation.records import Prediction, Truth, check_graph, check_truth
from segsg.params import Params
from segsg.reporting.overlay import MAX_RELATIONS, Picture
from segsg.structures import Sample

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
    model, names = scene_graphs.load_model(params, key), data.vocabulary(params)
    zero_shot, size = data.statistics(params).zero_shot.numpy(), len(names.predicates) + 1
    photos = _photos(scene_graphs.images(params, key, "test"), kinds)
    for index, batch in enumerate(data.all_batches(params, photos, images=1)):
        sample, batch = photos[index], batch.to(runs.device())
        (graph,) = model.predict(batch)
        truth = check_truth(Truth(*photos.annotation(index)[:3]), graph.image_id, size)
        prediction = check_graph(graph, truth, model.task, size)
        found = answers(truth, prediction, rank(prediction, DEPTH)[0], zero_shot, measurements.protocol(params))
        masks = pictures.masks_of(params, key, model, batch, graph, sample)
        title = f"Image {sample.image_id}, {kinds[sample.image_id]}: {key}"
        yield _marked(sample, prediction, masks, names, found, title)


def _photos(everything, kinds: dict[int, str]) -> Subset:
    places = {image_id: index for index, image_id in enumerate(everything.image_ids)}
    return Subset(everything, [places[image_id] for image_id in kinds])


def _marked(
    sample: Sample, prediction: Prediction, masks: torch.Tensor | None, names: Vocabulary, found: Answers, title: str
) -> Picture:
    chosen = found.best(MAX_RELATIONS)
    pairs, predicates = found.ranking.pairs[chosen].tolist(), found.ranking.predicates[chosen].tolist()
    return Picture(
        image=sample.image,
        boxes=torch.as_tensor(prediction.boxes) * sample.scale,
        names=class_names(names, torch.as_tensor(prediction.labels)),
        masks=masks,
        relations=tuple((s, names.predicate_name(p), o, 1.0) for (s, o), p in zip(pairs, predicates, strict=True)),
        title=title,
        true=frozenset(found.true[chosen].nonzero()[0].tolist()),
        zero_shot=frozenset(found.zero_shot[chosen].nonzero()[0].tolist()),
    )
