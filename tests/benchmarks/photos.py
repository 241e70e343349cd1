"""How good and how fast a bundle for photographs is, on photos annotated in COCO's layout: `segsg bench photos`."""

import argparse
import resource
import time

import numpy as np
import torch
from tqdm.auto import tqdm

import segsg
from segsg.data.coco import MaskSet
from segsg.detection.ssd import Limits
from segsg.evaluation.detection import average_precision
from segsg.files import to_json, user_path, write_text
from segsg.photos.photo_bundle import PhotoBundle
from segsg.photos.train_masks import LEAST_SIDE, ious
from segsg.structures import Sample
from segsg.tools.bench import add_options

EVERYTHING = Limits(score=0.01)
"""average precision wants unsure boxes too"""
MEGABYTE = 1024


def judged(bundle: PhotoBundle, sample: Sample, names: tuple[str, ...]) -> tuple[dict, dict]:
    """(true regions, found regions) of a photo, as average precision wants them; names that COCO lacks are left out."""
    photo = sample.image.permute(1, 2, 0).numpy()
    (found,) = bundle.finder.find([photo])
    found = found.rows([i for i, name in enumerate(found.names) if name in names])
    masked = bundle.with_masks(photo, found)
    labels = np.array([1 + names.index(name) for name in masked.names], dtype=np.int64)
    mine = {"boxes_original": masked.boxes, "labels": labels, "scores": masked.scores, "masks": list(masked.masks)}
    return {"boxes_original": sample.boxes, "labels": sample.labels, "masks": sample.masks}, mine


def rectangles(photo: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each box as its mask."""
    return torch.ones(len(boxes), 28, 28), boxes


def seconds(bundle: PhotoBundle, photos: list[np.ndarray]) -> list[float]:
    """Processor seconds of the graph of each photo, one at a time."""
    took = []
    for photo in photos:
        began = time.process_time()
        bundle.predict(photo)
        took.append(time.process_time() - began)
    return took


def main() -> None:
    """Prints the figures, and writes them for the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "photos")
    options = parser.parse_args()
    torch.set_num_threads(1)
    annotated = MaskSet(user_path(options.annotations), user_path(options.photos))
    names, samples = annotated.vocabulary.classes, list(tqdm(annotated.with_instances(), "photos"))
    bundle = segsg.load(options.bundle, "cpu")
    pixels = [sample.image.permute(1, 2, 0).numpy() for sample in samples]
    took = seconds(bundle, pixels)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    bundle.finder.limits = EVERYTHING
    pairs = [judged(bundle, sample, names) for sample in tqdm(samples, "regions")]
    truths, found = zip(*pairs, strict=True)
    boxes, masks = (average_precision(truths, found, len(names) + 1, masks=kind) for kind in (False, True))
    overlap = f"mean IoU of masks inside the true boxes of at least {LEAST_SIDE} pixels"
    inside, plain = (ious(each, samples, LEAST_SIDE) for each in (bundle.masker.network, rectangles))
    figures = {
        "AP of boxes": f"{100 * boxes['AP']:.1f} (at 0.5: {100 * boxes['AP50']:.1f})",
        "AP of masks": f"{100 * masks['AP']:.1f} (at 0.5: {100 * masks['AP50']:.1f})",
        overlap: f"{np.mean(inside):.3f} in {len(inside)} boxes (each box as its mask: {np.mean(plain):.3f})",
        "milliseconds a photo on one core, median": f"{1000 * np.median(took):.0f}",
        "megabytes of memory": f"{most:.0f}",
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    if options.json:
        ids = [sample.image_id for sample in samples]
        write_text(
            options.json,
            to_json({"photos": len(samples), "ids": ids, "figures": figures}),
        )


if __name__ == "__main__":
    main()
