"""What a trial takes of a whole data set."""

import pytest

from segsg.data.coco import MaskSet
from segsg.data.visual_genome import SceneGraphSet
from segsg.files import DataError
from segsg.pipeline.trial import cut_graphs, cut_masks


@pytest.fixture
def cut(graph_files):
    """Sets on an excerpt of so many training and test images."""

    def of(train, test):
        annotations, *others = graph_files.write()
        target = graph_files.folder / "excerpt" / "VG-SGG.h5"
        cut_graphs(annotations, train, test, target)
        return lambda split, **options: SceneGraphSet(target, *others, split, **options)

    return of


def test_kept_images_are_as_they_were_and_the_others_are_in_no_set(cut, graph_files):
    graph_files.arrays["split"] = [0, 0, 0, 0, 0]
    graph_files.arrays["img_to_first_rel"][2] = graph_files.arrays["img_to_last_rel"][2] = 5
    graph_files.arrays["img_to_first_rel"][4] = 6
    graph_files.arrays["relationships"][5] = [3, 4]
    whole = SceneGraphSet(*graph_files.write(), "train")
    assert whole.image_ids == [11, 13, 14, 15]
    excerpt = cut(2, 0)("train", keep_empty=True)
    assert excerpt.image_ids == [11, 14]
    for place, former in enumerate((0, 2)):
        for one, other in zip(excerpt.annotation(place), whole.annotation(former), strict=True):
            assert one.tolist() == other.tolist()
    assert excerpt[1].image.shape == whole[2].image.shape


def test_each_split_has_its_own_number(cut):
    excerpt = cut(1, 5)
    assert excerpt("train").image_ids == [11]
    assert excerpt("test").image_ids == [15]
    with pytest.raises(DataError, match="split 'train': has no image"):
        cut(0, 1)("train")


def test_masks_are_those_of_kept_images(mask_files):
    annotations, photos = mask_files.write()
    target = mask_files.folder / "excerpt" / "instances.json"
    cut_masks(annotations, 1, target)
    excerpt = MaskSet(target, photos)
    assert excerpt.image_ids == [5]
    assert excerpt.vocabulary == MaskSet(annotations, photos).vocabulary
    assert excerpt[0].labels.tolist() == MaskSet(annotations, photos)[0].labels.tolist()
    cut_masks(annotations, 9, target)
    assert MaskSet(target, photos).image_ids == [5, 7]


def test_files_of_another_kind_are_refused_and_nothing_is_written(mask_files, graph_files, tmp_path):
    annotations, _ = mask_files.write()
    with pytest.raises(DataError, match="is not readable HDF5"):
        cut_graphs(annotations, 1, 1, tmp_path / "excerpt" / "a")
    del mask_files.record["images"]
    with pytest.raises(DataError, match="has no 'images'"):
        cut_masks(mask_files.write()[0], 1, tmp_path / "excerpt" / "a")
    assert not (tmp_path / "excerpt").exists()
