import pytest

from segsg.study import sets


def test_processes_share_the_images_of_a_step(monkeypatch):
    assert sets.share(8) == 8
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert sets.share(8) == 2
    with pytest.raises(ValueError, match="6 images in a step cannot be shared evenly by 4 processes"):
        sets.share(6)
