import json
from dataclasses import replace

import pytest
import torch
from pycocotools import mask as rle

from segsg.data.coco import WithTrueMasks
from segsg.data.words import Vocabulary
from segsg.files import DataError
from segsg.structures import Sample

SIZE = (6, 8)


def mask(row):
    filled = torch.zeros(SIZE, dtype=torch.bool)
    filled[row, 1:4] = True
    return filled


def sample(image_id, regions):
    boxes = torch.tensor([[1.0, row, 4, row + 1] for row in range(regions)]).reshape(-1, 4)
    labels = torch.ones(regions, dtype=torch.long)
    return Sample(image_id, torch.zeros(3, *SIZE, dtype=torch.uint8), boxes, labels, torch.zeros(0, 3).long())


class Set(list):
    vocabulary = Vocabulary(("hat",))

    @property
    def image_ids(self):
        return [item.image_id for item in self]

    def annotation(self, index):
        return self[index].boxes, self[index].labels, self[index].relations


@pytest.fixture
def file(tmp_path):
    """Image 5 has two masks, image 7 none, image 9 one."""
    annotations = []
    for number, (image_id, row) in enumerate([(5, 0), (9, 4), (5, 1)], start=1):
        code = rle.encode(mask(row).numpy().astype("uint8", order="F"))
        runs = {"size": list(SIZE), "counts": code["counts"].decode()}
        annotations.append({"id": number, "image_id": image_id, "category_id": 1, "bbox": [1, row, 3, 1],
                            "segmentation": runs, "area": 3, "iscrowd": 0})  # fmt: skip
    images = [{"id": i, "file_name": f"{i}.jpg", "height": SIZE[0], "width": SIZE[1]} for i in (5, 7, 9)]
    path = tmp_path / "true_masks.json"
    content = {"images": images, "categories": [{"id": 1, "name": "hat"}], "annotations": annotations}
    path.write_text(json.dumps(content))
    return path


def test_every_region_gets_its_mask_in_the_order_of_the_boxes(file):
    seen = WithTrueMasks(Set([sample(9, 1), sample(7, 0), sample(5, 2)]), file)
    assert [len(item.masks) for item in (seen[0], seen[1], seen[2])] == [1, 0, 2]
    assert torch.equal(seen[2].masks, torch.stack([mask(0), mask(1)]))
    assert seen[1].masks.shape == (0, *SIZE)


@pytest.mark.parametrize(("image_id", "regions"), [(5, 3), (9, 0), (8, 1), (8, 0)])
def test_another_number_of_masks_than_boxes_names_image_and_file(file, image_id, regions):
    with pytest.raises(DataError, match=f"true_masks.json.*image {image_id}"):
        WithTrueMasks(Set([sample(image_id, regions)]), file)[0]


def test_masks_of_another_size_than_the_photo(file):
    photo = replace(sample(9, 1), image=torch.zeros(3, 12, 16, dtype=torch.uint8))
    with pytest.raises(
        DataError, match=r"image 9: has masks of size \(6, 8\) \(height, width\), its photo is \(12, 16\)"
    ):
        WithTrueMasks(Set([photo]), file)[0]
