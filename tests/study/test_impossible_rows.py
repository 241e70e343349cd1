"""A row that can't run is refused when params.yaml is written, not after an hour of training."""

import pytest

from segsg.models.registry import names
from segsg.study import profile

ROW = "model: motifs, detector: fpn-joint, task: predcls, method: seg-grounded, grounding: {edges: none}"


def resolve(row):
    return profile.resolve("smoke", [f"grid.rows={{quiet: {{{row}}}}}"])


def rows(row):
    return {key: one for group in resolve(row)["groups"].values() for key, one in group["rows"].items()}


def test_a_row_that_can_run_becomes_an_experiment():
    row = rows(ROW)["smoke-quiet"]
    assert (row["detector"], row["grounding"]) == ("smoke-fpn-joint", {"edges": "none"})


def test_a_row_that_does_not_say_what_it_is_is_refused():
    with pytest.raises(ValueError, match=r"grid: rows: quiet: missing detector, method, model, task"):
        resolve("grounding: {edges: none}")


def test_a_grounded_row_needs_a_detector_with_masks():
    with pytest.raises(ValueError, match="experiment smoke-quiet: detector smoke-fpn has no masks"):
        resolve(ROW.replace("fpn-joint", "fpn"))
    assert "smoke-quiet" in rows(ROW.replace("fpn-joint", "fpn").replace("seg-grounded", "baseline"))


def test_a_model_without_pixels_cannot_be_grounded():
    row = ROW.replace("motifs", "names_and_boxes")
    with pytest.raises(ValueError, match="experiment smoke-quiet: model names_and_boxes sees no pixels, so no masks"):
        resolve(row)
    assert "smoke-quiet" in rows(row.replace("seg-grounded", "baseline"))


@pytest.mark.parametrize(
    "override", ["grid.models=[motif]", f"grid.rows={{quiet: {{{ROW.replace('motifs', 'motif')}}}}}"]
)
def test_a_model_that_does_not_exist_is_refused_with_those_that_do(override):
    with pytest.raises(ValueError, match=rf"no model 'motif'; there are {', '.join(names())}"):
        profile.resolve("smoke", [override])


def test_stored_looks_cannot_be_mirrored():
    with pytest.raises(ValueError, match=r"stage2\.flip: a stored look cannot be mirrored"):
        profile.resolve("mini", ["stage2.flip=true"])
    assert profile.resolve("mini", ["stage2.flip=true", "cache_looks=false"])["stage2"]["flip"]


def test_stored_looks_have_one_size():
    with pytest.raises(ValueError, match=r"data\.short_sides: a stored look has one size"):
        profile.resolve("mini", ["data.short_sides=[120, 160]"])
    assert profile.resolve("mini", ["data.short_sides=[120, 160]", "cache_looks=false"])["data"]["short_sides"]


def test_no_drawn_side_is_longer_than_the_longer_side():
    with pytest.raises(ValueError, match=r"data\.short_sides: one is more than long_side, 160"):
        profile.resolve("mini", ["data.short_sides=[120, 161]", "cache_looks=false"])
