"""torchvision's Mask R-CNN as a finder, with random weights from a file."""

import numpy as np
import pytest
import torch

from segsg.detection.coco_classes import COCO_CLASSES
from segsg.files import DataError
from segsg.photos.finders.torchvision_coco import finder_from, mask_rcnn
from segsg.photos.found import Finder

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


class Fixed(torch.nn.Module):
    """A network that finds a person, a gap of COCO's ids, something unsure and something flat."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        masks = torch.zeros(4, 1, *images[0].shape[1:])
        masks[0, 0, 5:20, 10:30] = 0.9
        boxes = torch.tensor([[10.0, 5, 30, 20], [0, 0, 9, 9], [0, 0, 9, 9], [5, 5, 5, 9]])
        scores = torch.tensor([0.9, 0.8, 0.1, 0.9])
        return [{"boxes": boxes, "labels": torch.tensor([1, 12, 18, 18]), "scores": scores, "masks": masks}]


@pytest.fixture(scope="module")
def untrained():
    return mask_rcnn({"least": 0.0})


def test_weights_of_a_file_find_regions_of_cocos_names(untrained, tmp_path):
    torch.save({name: value.half() for name, value in untrained.network.state_dict().items()}, tmp_path / "w.pth")
    finder = finder_from(tmp_path / "w.pth", least=0.0)
    assert isinstance(finder, Finder)
    (found,) = finder.find([PHOTO])
    assert set(found.names) <= set(COCO_CLASSES.values())
    assert all(runs["size"] == [60, 90] for runs in found.masks)
    assert finder.find([]) == []


def test_only_what_has_a_name_an_area_and_a_score_is_kept(untrained):
    finder = type(untrained)(Fixed(), 0.5)
    (found,) = finder.find([PHOTO])
    assert found.names == ("person",)
    np.testing.assert_array_equal(found.boxes, [[10, 5, 30, 20]])
    (empty,) = type(untrained)(Fixed(), 1.0).find([PHOTO])
    assert len(empty) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "holds list, not weights by name"),
        ({"other": torch.zeros(1)}, "weights '.*': is (missing|of another network)"),
        (b"no file", "is no file of weights"),
    ],
)
def test_other_files_are_one_line(tmp_path, content, said):
    path = tmp_path / "w.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(DataError, match=said):
        finder_from(path)
    with pytest.raises(DataError, match="cannot be read"):
        finder_from(tmp_path / "nowhere.pth")


@pytest.mark.parametrize("settings", [{"least": 2}, {"least": "x"}, {"more": 1}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match="only 'least', a number from 0 to 1"):
        mask_rcnn(settings)
