"""Trains the head that gives boxes their masks, on photos with instances in COCO's layout, and says how well it does.

    python -m segsg.photos.train_masks coco_ssd.safetensors --photos FOLDER --annotations instances.json --out FILE

The first argument is the photo detector's weights, see `segsg.photos.convert_ssd`. Of the photos, `--held-out` are not
trained on: IoU with their true masks, in true boxes, is printed at the end. FILE gets the head's weights in half
precision, and FILE with the ending .photos.json the numbers of all photos. A run that is interrupted leaves
FILE.training, and the same command goes on from there.
"""

import argparse
import shutil
import sys
from collections.abc import Iterable

import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import nn
from torch.optim import AdamW, Optimizer

from segsg.data.coco import MaskSet
from segsg.data.loading import Batches, prepared, seeded
from segsg.data.views import ImageSet, Subset
from segsg.detection.ssd import load_ssd
from segsg.files import digest, plainly, to_json, user_path, whole, write_text
from segsg.grounding.box_masks import LONG_SIDE, BoxMasks, PhotoMasks, load_masks
from segsg.kernels.masks import paste
from segsg.photos.folder import SEEN
from segsg.structures import Sample
from segsg.study.runs import fingerprint, surroundings
from segsg.training.checkpoint import Checkpoint, check_finite
from segsg.training.loop import Plan, cosine, fit, groups, warm

RATE, BLOCKS_RATE, DECAY = 2e-3, 3e-4, 0.02
"""learning rates of the head's own layers and of the blocks that begin as the detector's; weight decay"""
WARMUP, CLIP_NORM, PHOTOS = 30, 5.0, 4
"""steps; norm of gradients; photos of a step"""
CHECKPOINT_EVERY = 100
"""steps"""
MEMORY = 0.99
"""share of itself that the mean of the weights, which is what is kept, keeps at each step"""
LEAST_SIDE = 32
"""pixels of the shorter side of a box that counts in the result"""


def split(dataset: ImageSet, held_out: int, seed: int) -> tuple[Subset, Subset]:
    """(images to train on, images to judge by), drawn by the seed alone."""
    order = torch.randperm(len(dataset), generator=seeded(seed)).tolist()
    return Subset(dataset, sorted(order[held_out:])), Subset(dataset, sorted(order[:held_out]))


def ious(masks: nn.Module, samples: Iterable[Sample], least_side: int) -> list[float]:
    """IoU of the mask in each true box with the true mask, in pixels; of boxes whose sides are at least so long."""
    found = []
    for sample in samples:
        sides = (sample.boxes[:, 2:] - sample.boxes[:, :2]).amin(dim=1)
        probabilities, frames = masks(sample.image, sample.boxes)
        for row in (sides >= least_side).nonzero()[:, 0].tolist():
            mask = paste(probabilities[row : row + 1], frames[row : row + 1], sample.size)[0]
            true = sample.masks[row]
            found.append(float((mask & true).sum() / (mask | true).sum().clamp(min=1)))
    return found


def optimizer_of(head: BoxMasks) -> Optimizer:
    """AdamW, slower for the blocks that begin as the detector's."""
    begun = {id(parameter) for part in (head.middle, head.deep) for parameter in part.parameters()}
    parts = []
    for group in groups(head, DECAY):
        for wanted, rate in ((True, BLOCKS_RATE), (False, RATE)):
            params = [parameter for parameter in group["params"] if (id(parameter) in begun) == wanted]
            parts.append(group | {"params": params, "lr": rate})
    return AdamW(parts)


def train(
    masks: PhotoMasks, dataset: ImageSet, checkpoint: Checkpoint, *, steps: int, seed: int, workers: int = 0
) -> None:
    """Trains the head of `masks` in place; a run that was interrupted goes on from its checkpoint."""
    batches = Batches(dataset, PHOTOS, seed, True, (LONG_SIDE,), LONG_SIDE)
    fit(
        masks,
        {"mask_losses": lambda numbers: prepared(batches.batch, numbers, workers)},
        optimizer=optimizer_of(masks.head),
        plan=Plan(steps, warm(cosine(steps), WARMUP), CLIP_NORM, seed, CHECKPOINT_EVERY, memory=MEMORY),
        fabric=Fabric(accelerator="auto", devices=1),
        checkpoint=checkpoint,
        label="masks",
    )


def main() -> int:
    """Trains and judges as the command line has it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detector", type=user_path, help="the photo detector's weights, safetensors")
    parser.add_argument("--photos", type=user_path, required=True, help="the folder of the photos")
    parser.add_argument("--annotations", type=user_path, required=True, help="instances in COCO's layout")
    parser.add_argument("--out", type=user_path, required=True, help="the file to write, safetensors")
    parser.add_argument("--steps", type=int, default=1500, help=f"of {PHOTOS} photos each")
    parser.add_argument("--held-out", type=int, default=80, help="photos to judge by, which are not trained on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0, help="threads that read photos")
    options = parser.parse_args()
    try:
        run(options)
    except (ValueError, OSError) as error:
        print(plainly(error), file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Trains, writes the weights, and prints how good those are as written."""
    photos = MaskSet(options.annotations, options.photos).with_instances()
    training, judged = split(photos, options.held_out, options.seed)
    detector = load_ssd(options.detector)
    torch.manual_seed(options.seed)
    masks = PhotoMasks(detector.trunk, BoxMasks(detector.trunk))
    read = [digest(options.detector), digest(options.annotations)]
    run_of = fingerprint(read, options.steps, options.held_out, options.seed, surroundings())
    checkpoint = Checkpoint(options.out.with_name(f"{options.out.name}.training"), run_of)
    train(masks, training, checkpoint, steps=options.steps, seed=options.seed, workers=options.workers)
    check_finite(masks)
    with whole(options.out) as part:
        save_file({name: value.half().cpu().contiguous() for name, value in masks.head.state_dict().items()}, part)
    seen = {"trained": training.image_ids, "judged": judged.image_ids, "annotations_sha256": read[1]}
    write_text(options.out.with_suffix(f".{SEEN}"), to_json(seen))
    shutil.rmtree(checkpoint.folder, ignore_errors=True)
    found = ious(load_masks(options.out, detector.trunk), (judged[i] for i in range(len(judged))), LEAST_SIDE)
    if found:
        print(f"mean IoU in {len(found)} boxes of {len(judged)} photos: {sum(found) / len(found):.3f}")


if __name__ == "__main__":
    sys.exit(main())
