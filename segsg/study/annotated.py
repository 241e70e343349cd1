"""Photos with the scene graph that the data set gives them."""

from collections.abc import Iterator

from jaxtyping import Int
from torch import Tensor

from segsg.data.vocabulary import Vocabulary
from segsg.figures.overlay import Picture
from segsg.study import data
from segsg.study.params import Params


def annotated_pictures(params: Params, split: str, images: int) -> Iterator[Picture]:
    """The first photos of a split with their annotated regions and relations."""
    names = data.vocabulary(params)
    for sample in data.first(data.scene_graph_set(params, split), images):
        relations = ((s, names.predicate_name(p), o, 1.0) for s, o, p in sample.relations.tolist())
        yield Picture(
            image=sample.image,
            boxes=sample.boxes,
            names=class_names(names, sample.labels),
            masks=sample.masks,
            relations=tuple(relations),
            title=f"Image {sample.image_id}, as annotated",
        )


def class_names(names: Vocabulary, labels: Int[Tensor, "regions"]) -> tuple[str, ...]:
    """What the regions are called."""
    return tuple(names.class_name(label) for label in labels.tolist())
