"""The image sets of a study, and batches of them: every image once in order, or endlessly for training."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segsg.data.coco import MaskSet, WithTrueMasks
from segsg.data.loading import Batches, Change, ordered, prepared
from segsg.data.photos import Read, blank_photo, read_photo
from segsg.data.views import OverlappingRelations, Subset, one_predicate_per_pair, without_images
from segsg.data.visual_genome import SceneGraphSet, Split
from segsg.files import digest
from segsg.structures import Batch, Source
from segsg.study.params import DetectorRow, MaskOptimization, Params
from segsg.study.shared import shared

LOADING_THREADS = 2
EVALUATION_IMAGES = 8


def folder(params: Params) -> Path:
    """Where the data stage of this profile writes."""
    return Path("data") / params.profile


def reader(params: Params) -> Read:
    """How stage 2 reads photos: where looks are cached, nothing looks at a pixel, and a photo's size will do."""
    return blank_photo if params.cache_looks else read_photo


@shared
def scene_graph_set(params: Params, split: Split, keep_empty: bool = False, read: Read = read_photo) -> SceneGraphSet:
    files = params.data.scene_graphs
    return SceneGraphSet(
        files.annotations,
        files.vocabulary,
        files.images,
        files.photos,
        split,
        validation_images=params.data.validation_images,
        keep_empty=keep_empty,
        read=read,
    )


def training_set(params: Params, read: Read = read_photo) -> Any:
    """Stage 2's training images, with the relations that it trains on."""
    train = scene_graph_set(params, "train", read=read)
    return train if params.data.distant_relations else OverlappingRelations(train)


def stage2_set(params: Params, split: Split, read: Read = read_photo) -> Any:
    """The images of a split that stage 2 trains on or is judged by."""
    return training_set(params, read) if split == "train" else scene_graph_set(params, split, read=read)


@shared
def mask_set(params: Params, split: str, read: Read = read_photo) -> Subset:
    """The mask set's "train" or "validation" images with an instance."""
    files = {"train": params.data.masks_train, "validation": params.data.masks_validation}[split]
    return MaskSet(files.annotations, files.photos, read).with_instances()


@shared
def judged_mask_set(params: Params) -> MaskSet:
    """All validation images of the mask set, as average precision takes them."""
    return MaskSet(params.data.masks_validation.annotations, params.data.masks_validation.photos)


def mask_training_set(params: Params, detector: DetectorRow, read: Read = read_photo) -> Any:
    """The mask set's training images that a joint detector may see."""
    dataset = mask_set(params, "train", read)
    return without_images(dataset, judged_images(params)) if detector.disjoint else dataset


def judged_images(params: Params) -> set[int]:
    """Ids in the mask set of the validation and test images, those without relations included.

    Training images that both sets hold are no leak: a detector trains on them either way.
    """
    judged = [scene_graph_set(params, split, keep_empty=True) for split in ("validation", "test")]
    return {image_id for dataset in judged for image_id in dataset.shared_ids if image_id is not None}


def refinement_set(params: Params, detector: DetectorRow, read: Read = read_photo) -> Any:
    """The images of `mask_training_set` that refinement learns from in stage 2."""
    dataset, images = mask_training_set(params, detector, read), params.refinement.images
    return spread(dataset, images) if images else dataset


@shared
def with_true_masks(params: Params, dataset: Any, split: Split) -> WithTrueMasks:
    """Images of the scene graph set with masks that no model of the paper may see. ValueError if there are none."""
    files = params.data.scene_graphs
    path = files.true_masks_train if split == "train" else files.true_masks
    if path is None:
        raise ValueError(f"profile {params.profile}: its {split} images have no true masks; only a drawn world has")
    return WithTrueMasks(dataset, path)


@shared
def trained_on(params: Params) -> list:
    """What a training reads, for its fingerprint: digests of annotations, and names and sizes of all photos."""
    graphs, masks = params.data.scene_graphs, params.data.masks_train
    files = (graphs.annotations, graphs.vocabulary, graphs.images, masks.annotations)
    return [*(digest(path) for path in files), *(_listing(folder) for folder in (graphs.photos, masks.photos))]


@shared
def judged_on(params: Params) -> list:
    """What an evaluation reads beside that: digests of annotations, and names and sizes of the mask set's photos."""
    masks, truth = params.data.masks_validation, params.data.scene_graphs.true_masks
    files = (masks.annotations, *([truth] if truth is not None else []))
    return [*(digest(path) for path in files), _listing(masks.photos)]


def _listing(folder: Path) -> str:
    """SHA-256 of the names and sizes of all files below a folder."""
    entries = sorted((path.name, path.stat().st_size) for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(repr(entries).encode()).hexdigest()


def first(dataset: Any, images: int | None) -> Any:
    """The first so many images of a set; all of them without a number."""
    return dataset if images is None else Subset(dataset, range(min(images, len(dataset))))


def spread(dataset: Any, images: int) -> Subset:
    """So many images of a set at equal distances."""
    count = min(images, len(dataset))
    return Subset(dataset, [i * len(dataset) // count for i in range(count)])


def all_batches(params: Params, dataset: Any, images: int = EVALUATION_IMAGES) -> Iterator[Batch]:
    """Batches of all images of a set, each image once, in order."""
    return ordered(dataset, images, params.data.short_side, params.data.long_side, LOADING_THREADS)


def processes() -> int:
    """Number of processes that train one model together: all that torchrun started, on all machines; else 1.

    ValueError for tasks of Slurm that know nothing of each other: each would write to the same folder.
    """
    if "WORLD_SIZE" in os.environ:
        return int(os.environ["WORLD_SIZE"])
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS") or os.environ.get("SLURM_NTASKS") or "1")
    if tasks > 1:
        raise ValueError(
            f"Slurm runs {tasks} tasks (SLURM_NTASKS), and each would train the same model into the same folder; "
            f"start one task on each machine, as {TORCHRUN} (docs/paper_scale.md), or a single one with --ntasks 1"
        )
    return 1


TORCHRUN = (
    "srun --ntasks-per-node 1 torchrun --nnodes NODES --nproc-per-node GPUS --rdzv-backend c10d "
    "--rdzv-endpoint HOST:29500 -m segsg.study.runs MODULE FUNCTION KEY FOLDER"
)
"""the command for several machines, with words in capitals to fill in"""


def share(images: int) -> int:
    """Number of images of a step that each process takes, so that a step is the same for any number of processes.

    ValueError if they cannot be shared evenly.
    """
    if images % processes():
        raise ValueError(
            f"{images} images in a step cannot be shared evenly by {processes()} processes; use a number of GPUs that "
            "divides it (CUDA_VISIBLE_DEVICES), or change stage1, pixel_training and stage2: images, mask_images in "
            "the profile"
        )
    return images // processes()


SIDES = {"left", "right"}
"""words of predicates that a mirror makes untrue"""


def mask_batches(params: Params, dataset: Any, *, numbers: MaskOptimization, seed: int) -> Source:
    """Batches of a mask set."""
    return _batches(params, dataset, images=numbers.mask_images, flip=numbers.flip, seed=seed)


def object_batches(params: Params, dataset: Any, seed: int) -> Source:
    """Stage 1's batches of scene-graph images, of which it reads boxes and labels."""
    return _batches(params, dataset, images=params.stage1.images, flip=params.stage1.flip, seed=seed)


def relation_batches(params: Params, dataset: Any, predicates: tuple[str, ...], seed: int) -> Source:
    """Stage 2's batches of scene-graph images: one predicate per pair, drawn at every visit.

    ValueError if photos would be mirrored under predicates that a mirror makes untrue.
    """
    numbers = params.stage2
    sided = [name for name in predicates if numbers.flip and SIDES & set(name.lower().split())]
    if sided:
        raise ValueError(
            f"{params.data.scene_graphs.vocabulary}: predicates {', '.join(map(repr, sided))} change their meaning in "
            f"a mirrored photo; set flip: false in stage2 of profile {params.profile}"
        )
    return _batches(params, dataset, images=numbers.images, flip=numbers.flip, seed=seed, change=one_predicate_per_pair)


def _batches(
    params: Params, dataset: Any, *, images: int, flip: bool, seed: int, change: Change | None = None
) -> Source:
    """`images` a step, shared by all processes and decoded ahead by threads."""
    sides = params.data.short_sides or [params.data.short_side], params.data.long_side
    batches = Batches(dataset, share(images), seed, flip, *sides, change)
    return lambda steps: prepared(batches.batch, steps, LOADING_THREADS)
