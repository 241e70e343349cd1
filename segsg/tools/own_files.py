"""Where the files of a study are: named by params.yaml, or found in a user's own folders by their usual names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from segsg.files import ROOT
from segsg.study.params import MaskFiles, Params, SceneGraphFiles

GRAPH_FILES = {
    "annotations": ("VG-SGG.h5", "VG-SGG-with-attri.h5"),
    "vocabulary": ("VG-SGG-dicts.json", "VG-SGG-dicts-with-attri.json"),
    "images": ("image_data.json",),
    "photos": ("VG_100K", "images"),
}
MASK_FILES = {"annotations": ("annotations/instances_val2017.json",), "photos": ("images", "val2017")}
COCO_PAIRS = ROOT / "data/facts/name_pairs_vg150_coco80.json"
Paths = dict[str, Path]
"""key of params.yaml -> file or folder"""


@dataclass(frozen=True)
class OwnFiles:
    """The files of one scene graph set, of the training split of one mask set, and of what joins their names.

    `validation_images` of the training rows are for validation. Where `mirrored`, half of the photos are mirrored in
    training. `mode` and `threshold` are those of the transfer (eq. 3).
    """

    graphs: SceneGraphFiles
    masks: MaskFiles
    word_vectors: Path
    name_pairs: Path
    word_aliases: Mapping[str, str] = field(default_factory=dict)
    validation_images: int = 1
    mirrored: bool = False
    mode: str = "softmax"
    threshold: float = 0.05


def of_params(params: Params) -> OwnFiles:
    """The files of a study."""
    data = params.data
    return OwnFiles(
        graphs=data.scene_graphs,
        masks=data.masks_train,
        word_vectors=data.word_vectors,
        name_pairs=data.name_pairs,
        word_aliases=data.word_aliases,
        validation_images=data.validation_images,
        mirrored=params.stage2.flip,
        mode=params.grounding.transfer,
        threshold=params.grounding.transfer_threshold,
    )


def of_folders(found: Paths, name_pairs: Path) -> OwnFiles:
    """The files of `paths`."""
    graphs, masks = (
        {key: found[f"data.{section}.{key}"] for key in names}
        for section, names in (("scene_graphs", GRAPH_FILES), ("masks_train", MASK_FILES))
    )
    return OwnFiles(SceneGraphFiles(**graphs), MaskFiles(**masks), found["data.word_vectors"], name_pairs)


def paths(graphs: Path, masks: Path, word_vectors: Path) -> Paths:
    """Where everything of the section `data` is, in a folder of Visual Genome's layout, one of COCO's, and vectors.

    ValueError names what is missing and what it may be called.
    """
    if not word_vectors.is_file():
        raise ValueError(f"{word_vectors}: no such file of word vectors; expected GloVe's text format, a word a line")
    found = {f"scene_graphs.{key}": _first(graphs, names) for key, names in GRAPH_FILES.items()}
    for split in ("masks_train", "masks_validation"):
        found |= {f"{split}.{key}": _first(masks, names) for key, names in MASK_FILES.items()}
    found["word_vectors"] = word_vectors.resolve()
    return {f"data.{key}": path for key, path in found.items()}


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).exists():
            return (folder / name).resolve()
    raise ValueError(f"{folder}: no {' or '.join(names)} in it; put it there or link it")
