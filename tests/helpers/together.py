"""Real processes that train together on the CPU, as torchrun starts them, and what they train."""

import multiprocessing
import os
import signal
import socket
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from grounded import refined, slots
from scenes import CHANNELS, SIDE, make, mask_set_look

from segsg.data.loading import Batches, pad_masks, prepared
from segsg.data.views import ImageSet, one_predicate_per_pair
from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector
from segsg.detection.proposals import DetectionNumbers
from segsg.grounding.refinement import RefinedInTraining
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import Look, Sample
from segsg.study import runs, sets
from segsg.study.params import Optimization

IMAGES, SEED = 4, 11
"""images of a step"""
COUNTS = [0, 4, 0, 3, 0, 5, 0, 3]
"""Regions of each image. Half of the images have none, so one of four processes has none in every step."""
NUMBERS = DetectionNumbers(
    rpn_pre_nms_train=60,
    rpn_pre_nms_test=60,
    rpn_post_nms_train=40,
    rpn_post_nms_test=20,
    rpn_batch=32,
    box_batch=8,
    box_positive_fraction=0.4,
    score_threshold=0.05,
    nms_threshold=0.5,
    detections=10,
    regions=8,
)


class Remembered(torch.nn.Module):
    """Has looked at all images of both sets, and tells of those in a batch."""

    channels = CHANNELS

    def __init__(self, looks):
        super().__init__()
        self.looks = looks

    def look(self, batch, task, domain="graph", *, masks=True):
        whole = self.looks[domain]
        places = [(whole.regions.image == image).nonzero()[:, 0] for image in batch.image_ids]
        kept = torch.cat(places)
        named = ("boxes", "labels", "class_probabilities", "mask_logits")
        values = {name: getattr(whole.regions, name)[kept] for name in named}
        image = torch.arange(len(places)).repeat_interleave(torch.tensor([len(place) for place in places]))
        regions = replace(whole.regions, image=image, sizes=batch.sizes, **values)
        return Look([level[batch.image_ids] for level in whole.features], regions, whole.strides, whole.cells)


class OfBatch(ImageSet):
    """The images of a batch as a data set."""

    def __init__(self, batch):
        self.batch = batch

    def __len__(self):
        return len(self.batch)

    def __getitem__(self, index):
        height, width = self.batch.sizes[index]
        masks = None if self.batch.masks is None else self.batch.masks[index][:, :height, :width]
        image = self.batch.images[index, :, :height, :width]
        return Sample(
            index, image, *(of[index] for of in (self.batch.boxes, self.batch.labels, self.batch.relations)), masks
        )


def relations(count):
    """Several predicates of some pairs, of which each step draws one."""
    return [(i, (i + 1) % count, 1 + k) for i in range(count) for k in range(1 + i % 3)] if count > 1 else []


def scenes():
    """(looks at the scene graph set and at the mask set, both sets): the same scenes."""
    look, batch = make(COUNTS, relations=[relations(count) for count in COUNTS])
    mask_look, mask_batch = mask_set_look(look, batch)
    return {"graph": look, "mask": mask_look}, batch, mask_batch


def pictures():
    """The same scenes as pictures of noise, which are the wider the later they come."""
    _, batch, mask_batch = scenes()
    noise = torch.randint(0, 256, (len(COUNTS), 3, SIDE, 2 * SIDE), generator=torch.Generator().manual_seed(0))
    drawn = {"images": noise.byte(), "sizes": [(SIDE, SIDE + 9 * i) for i in range(len(COUNTS))]}
    wide = [pad_masks(masks, SIDE, 2 * SIDE) for masks in mask_batch.masks]
    return replace(batch, **drawn), replace(mask_batch, masks=wide, **drawn)


def source(batch, *, flip=False, change=None):
    """This process's share of endless steps of a batch's images."""
    batches = Batches(OfBatch(batch), sets.share(IMAGES), SEED, flip, [SIDE], 2 * SIDE, change)
    return lambda numbers: prepared(batches.batch, numbers, 2)


def scene_graph_model(name, task, *, is_refined=False, **options):
    """(model, sources) of stage 2."""
    looks, graphs, masks = scenes()
    sources = {"losses": source(graphs, change=one_predicate_per_pair)}
    if is_refined:
        sources["mask_losses"] = source(masks)
        return refined(name, Remembered(looks), RefinedInTraining, task, pairs=6, **options), sources
    return SceneGraphModel(**slots(name, Remembered(looks), task, pairs=6, **options)), sources


def detector(backbone, mask_classes):
    """(detector, sources) of stage 1."""
    torch.manual_seed(0)
    graphs, masks = pictures()
    sources = {"losses": source(graphs, flip=True)}
    if mask_classes:
        sources["mask_losses"] = source(masks, flip=True)
    return Detector(BACKBONES[backbone], 6, mask_classes, NUMBERS), sources


def killed_at(source, number):
    """Batches up to a number, at which the process dies without a word."""

    def until(numbers):
        for one, batch in zip(numbers, source(numbers), strict=True):
            if one == number:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    return until


STEPS = Optimization(
    iterations=3,
    images=IMAGES,
    mask_images=IMAGES,
    optimizer="sgd",
    learning_rate=0.05,
    weight_decay=0.01,
    warmup=0,
    schedule="cosine",
    steps=[],
    clip_norm=1.0,
    checkpoint_every=2,
    precision="32-true",
    flip=True,
    memory=0.5,
)


def train(made, key, numbers=STEPS):
    """Trains (model, sources) and leaves weights and history in the folder `key`, as a stage does."""
    runs.train(*made, numbers=numbers, key=key, seed=SEED, depends_on=[], out=Path(key))


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["segsg.study.detectors", "segsg.study.scene_graphs"])


def run(folder: Path, processes: int, work, *arguments) -> list[int]:
    """Exit codes of so many processes that together call `work(*arguments)`, a function of a helper, in a folder."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [
        CONTEXT.Process(target=_enter, args=(folder, rank, processes, port, work, arguments))
        for rank in range(processes)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    return [process.exitcode for process in started]


def _enter(folder, rank, processes, port, work, arguments):
    os.chdir(folder)
    torch.set_num_threads(1)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if processes > 1:
        variables = {"RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": 0, "MASTER_PORT": port}
        variables |= {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        os.environ |= {name: str(value) for name, value in variables.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "TORCHELASTIC_RUN_ID": "tests"}
    work(*arguments)


MADE = {
    "imp": partial(scene_graph_model, "imp", "sgdet"),
    "motifs": partial(scene_graph_model, "motifs", "sgdet"),
    "vctree": partial(scene_graph_model, "vctree", "sgdet"),
    "transformer": partial(scene_graph_model, "transformer", "sgdet"),
    "frequency": partial(scene_graph_model, "frequency", "sgcls"),
    "imp-refined": partial(scene_graph_model, "imp", "predcls", is_refined=True),
    "motifs-refined": partial(scene_graph_model, "motifs", "sgcls", is_refined=True),
    "vctree-refined": partial(scene_graph_model, "vctree", "sgcls", is_refined=True),
    "transformer-refined": partial(scene_graph_model, "transformer", "predcls", is_refined=True),
    "joint": partial(detector, "resnext-tiny-fpn", 3),
    "plain": partial(detector, "vgg-tiny", None),
}
"""key -> a function that makes (model, sources)"""


def train_all(keys, numbers=STEPS):
    """Trains models of these keys, a folder each."""
    for key in keys:
        train(MADE[key](), key, numbers)


def train_and_die(key, number, made, numbers):
    """Trains until the process that should make a batch of this number dies."""
    model, sources = made()
    train((model, {method: killed_at(of, number) for method, of in sources.items()}), key, numbers)


def train_again(key, made, numbers):
    train(made(), key, numbers)


def train_apart(key, made, numbers):
    """The second process does not see what the first one left; what is wrong is in a file of each."""
    rank = os.environ["RANK"]
    said = Path(f"said-{rank}").absolute()
    if rank == "1":
        Path("elsewhere").mkdir()
        os.chdir("elsewhere")
    say(said, made, key, numbers)


def train_nonfinite(key, made):
    """Trains from a weight that is not a number."""
    model, sources = made()
    model.context.bias.table.data.fill_(float("nan"))
    say(Path(f"said-{os.environ['RANK']}"), lambda: (model, sources), key, STEPS)


def say(file, made, key, numbers):
    """Trains, and writes what the training refuses to a file."""
    try:
        train(made(), key, numbers)
    except ValueError as error:
        file.write_text(str(error))
