import numpy as np
import torch
from torch.testing import assert_close

from segsg.data.visual_genome import SceneGraphSet, decode, read_vocabulary, read_zero_shot


def scene_graphs(files, split="train", **options):
    return SceneGraphSet(*files.write(), split, **options)


def test_names_are_in_label_order(graph_files):
    vocabulary = scene_graphs(graph_files).vocabulary
    assert vocabulary.classes == ("man", "cat", "hat")
    assert vocabulary.class_name(2) == "cat" and vocabulary.class_name(0) == "background"
    assert vocabulary.predicate_name(1) == "wearing"


def test_boxes_are_exact_corners_in_pixels_of_the_photo(graph_files):
    boxes, labels, relations = scene_graphs(graph_files).annotation(0)
    scale = 80 / 1024
    expected = torch.tensor([[256, 128, 768, 384], [75, 75, 125, 125], [749.5, 369.5, 850.5, 430.5]]) * scale
    assert_close(boxes, expected)
    assert labels.tolist() == [1, 2, 3]
    assert relations.tolist() == [[0, 2, 1], [1, 0, 2]]


def test_relations_count_boxes_of_their_own_image(graph_files):
    assert scene_graphs(graph_files, "test").annotation(0)[2].tolist() == [[0, 1, 1], [0, 1, 1]]


def test_splits_leave_out_images_without_boxes_or_relations(graph_files):
    assert scene_graphs(graph_files).image_ids == [11, 14]
    assert scene_graphs(graph_files, keep_empty=True).image_ids == [11, 13, 14]
    assert scene_graphs(graph_files, "test").image_ids == [15]


def test_validation_is_the_first_images_and_keep_empty_does_not_move_the_cut(graph_files):
    for keep_empty, train in ((False, [14]), (True, [13, 14])):
        options = {"validation_images": 1, "keep_empty": keep_empty}
        assert scene_graphs(graph_files, "validation", **options).image_ids == [11]
        assert scene_graphs(graph_files, "train", **options).image_ids == train


def test_images_without_relations_do_not_count_towards_validation(graph_files):
    assert scene_graphs(graph_files, "validation", validation_images=2).image_ids == [11, 14]
    assert scene_graphs(graph_files, "validation", validation_images=2, keep_empty=True).image_ids == [11, 13, 14]
    graph_files.arrays["split"] = [0] * 5
    assert scene_graphs(graph_files, validation_images=2).image_ids == [15]


def test_an_image_without_relations_has_empty_ones(graph_files):
    sample = scene_graphs(graph_files, keep_empty=True)[1]
    assert sample.relations.shape == (0, 3) and len(sample.boxes) == 2


def test_shared_ids(graph_files):
    assert scene_graphs(graph_files, keep_empty=True).shared_ids == [None, 901, None]
    graph_files.images[0]["coco_id"] = 0
    del graph_files.images[3]["coco_id"]
    assert scene_graphs(graph_files, keep_empty=True).shared_ids == [0, 901, None]


def test_a_sample_is_the_annotation_with_its_photo(graph_files):
    data = scene_graphs(graph_files)
    sample = data[1]
    assert sample.image_id == 14 and sample.size == (40, 80) and sample.scale == 1
    for found, expected in zip((sample.boxes, sample.labels, sample.relations), data.annotation(1), strict=True):
        assert torch.equal(found, expected)


def test_a_scaled_photo_scales_its_boxes_and_keeps_the_original_frame(graph_files):
    data = scene_graphs(graph_files)
    graph_files.photo("11.jpg", (160, 80))
    sample, (boxes, *_) = data[0], data.annotation(0)
    assert sample.scale == 2
    assert_close(sample.boxes, boxes * 2)


def test_boxes_never_leave_the_photo_nor_lose_their_area():
    boxes = decode(np.array([[1000, 900, 100, 40], [0, 0, 20, 20]]), height=40, width=80)
    assert boxes[0].tolist() == [950 * 80 / 1024, 39, 80, 40]
    assert boxes[1].tolist() == [0, 0, 10 * 80 / 1024, 10 * 80 / 1024]


def test_photos_may_lie_in_two_folders(graph_files):
    data = scene_graphs(graph_files)
    photos = graph_files.folder / "photos"
    for number, part in ((11, "VG_100K"), (14, "VG_100K_2")):
        (photos / part).mkdir()
        (photos / f"{number}.jpg").rename(photos / part / f"{number}.jpg")
    assert [data[i].image_id for i in range(2)] == [11, 14]


def test_the_corrupt_images_of_the_list_have_no_rows(graph_files):
    extra = [{"image_id": number, "width": 1, "height": 1} for number in (1592, 1722, 4616, 4617)]
    graph_files.images[2:2] = extra
    assert scene_graphs(graph_files).image_ids == [11, 14]


def test_published_zero_shot_triplets_become_subject_predicate_object(graph_files, tmp_path):
    torch.save(torch.tensor([[1, 3, 2], [2, 1, 1]]), tmp_path / "zeroshot_triplet.pytorch")
    vocabulary = scene_graphs(graph_files).vocabulary
    assert read_zero_shot(tmp_path / "zeroshot_triplet.pytorch", vocabulary).tolist() == [[1, 2, 3], [2, 1, 1]]


def test_real_relations_in_this_layout(real):
    folder = real / "vrd_in_vg_layout"
    names = ("VG-SGG.h5", "VG-SGG-dicts.json", "image_data.json", "VG_100K")
    sizes = {split: SceneGraphSet(*(folder / name for name in names), split, 1) for split in ("train", "validation")}
    test = SceneGraphSet(*(folder / name for name in names), "test")
    assert [len(sizes["train"]), len(sizes["validation"]), len(test)] == [4, 1, 2]
    for data in (*sizes.values(), test):
        samples = [data[i] for i in range(len(data))]
        assert all(
            sample.scale == 1 and torch.equal(sample.boxes, data.annotation(i)[0]) for i, sample in enumerate(samples)
        )
        assert all((sample.boxes[:, 2:] > sample.boxes[:, :2]).all() for sample in samples)


def test_real_vocabulary_and_zero_shot_triplets(real):
    vocabulary = read_vocabulary(real / "vg150" / "VG-SGG-dicts.json")
    assert (len(vocabulary.classes), len(vocabulary.predicates)) == (150, 50)
    assert (vocabulary.class_name(1), vocabulary.predicate_name(50)) == ("airplane", "with")
    rows = read_zero_shot(real / "vg150" / "zeroshot_triplet.pytorch", vocabulary)
    assert rows.shape == (5971, 3) and rows[:, 1].max() == 50 and len(rows.unique(dim=0)) == 5971
