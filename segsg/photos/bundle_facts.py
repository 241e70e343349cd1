"""What of a data set a model is made from: names, word vectors, counts. Small files that a bundle takes along.

They have the layouts of the data set's own files, so that a bundle's model is built by the code that builds the
study's.
"""

import dataclasses
import json
import shutil
from pathlib import Path

from segsg.study import data
from segsg.study.params import Data, MaskFiles, Params, SceneGraphFiles

VOCABULARY, MASK_CLASSES, WORDS, NAME_PAIRS = "vocabulary.json", "mask_classes.json", "words.txt", "name_pairs.json"
NOWHERE = Path("not in a bundle")


def write_facts(params: Params, folder: Path) -> None:
    """Copies the facts of a study to `folder`."""
    folder.mkdir(parents=True)
    shutil.copyfile(params.data.scene_graphs.vocabulary, folder / VOCABULARY)
    shutil.copyfile(params.data.name_pairs, folder / NAME_PAIRS)
    shutil.copyfile(data.folder(params) / data.STATISTICS, folder / data.STATISTICS)
    names = data.mask_vocabulary(params).classes
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    layout = {"images": [], "annotations": [], "categories": categories}
    (folder / MASK_CLASSES).write_text(json.dumps(layout, indent=1) + "\n", encoding="utf-8")
    _write_words(params, folder / WORDS)


def _write_words(params: Params, path: Path) -> None:
    """The rows of the file of word vectors that any name of the study may need."""
    names = (*data.vocabulary(params).classes, *data.mask_vocabulary(params).classes)
    phrases = (*names, *params.data.word_aliases.values())
    words = {word.encode() for phrase in phrases for word in phrase.lower().split()}
    with params.data.word_vectors.open("rb") as lines:
        path.write_bytes(b"".join(line for line in lines if line.partition(b" ")[0] in words))


def in_a_bundle(section: Data) -> Data:
    """The section `data` of a bundle: its files by name, and no photo or annotation."""
    return dataclasses.replace(
        section,
        scene_graphs=SceneGraphFiles(NOWHERE, Path(VOCABULARY), NOWHERE, NOWHERE),
        masks_train=MaskFiles(NOWHERE, NOWHERE),
        masks_validation=MaskFiles(Path(MASK_CLASSES), NOWHERE),
        word_vectors=Path(WORDS),
        name_pairs=Path(NAME_PAIRS),
        zero_shot=None,
    )


def located(params: Params, folder: Path) -> Params:
    """The parameters of a bundle whose facts are in `folder`, as `segsg.build` reads them."""
    folder = folder.absolute()
    section = params.data
    found = dataclasses.replace(
        section,
        scene_graphs=dataclasses.replace(section.scene_graphs, vocabulary=folder / section.scene_graphs.vocabulary),
        masks_validation=MaskFiles(folder / section.masks_validation.annotations, NOWHERE),
        word_vectors=folder / section.word_vectors,
        name_pairs=folder / section.name_pairs,
    )
    # data/PROFILE is where the data stage counts; an absolute profile makes that the folder of the bundle.
    return dataclasses.replace(params, profile=str(folder), data=found)
