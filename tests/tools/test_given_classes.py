"""Classes of predictions in PredCls, which gives the true ones away: wrong ones are refused or said."""

import json
import re

import pytest
from made_evaluations import files

from segsg.tools.evaluate import Request, evaluate


@pytest.fixture
def concerns(tmp_path):
    """Evaluates predictions with these classes (the true ones are 1 and 2), and returns what looks wrong."""
    files(tmp_path)

    def of(classes, task="predcls"):
        head, image = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
        changed = (head, image | {"classes": classes})
        (tmp_path / "changed.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in changed))
        request = Request(truth=tmp_path / "truth.jsonl", predictions=tmp_path / "changed.jsonl", task=task)
        results = evaluate(request, tmp_path / "out")
        return results["concerns"]

    return of


@pytest.mark.parametrize("task", ["predcls", "sgcls", "sgdet"])
@pytest.mark.parametrize("classes", [[0, 1], [1, 0], [0, 0], [-1, 2]])
def test_classes_that_count_from_0_are_refused_in_every_task(concerns, tmp_path, task, classes):
    found = f"line 2: 'classes' must count from 1, 0 being background; found {min(classes)}"
    with pytest.raises(ValueError, match=re.escape(f"changed.jsonl: {found}")):
        concerns(classes, task)
    assert not (tmp_path / "out").exists()


def test_true_classes_raise_no_concern(concerns):
    assert concerns([1, 2]) == []


def test_regions_in_another_order_are_said(concerns):
    assert concerns([2, 1]) == [
        "No predicted class is that of the true box it lies on. Do both files count classes alike?"
    ]
    (said,) = concerns([1, 9])
    assert said == (
        "1 of 2 predicted classes differ from the true ones, which PredCls gives away. "
        "Are the regions of both files in the same order?"
    )


def test_where_classes_are_predicted_a_wrong_one_is_no_concern(concerns):
    assert concerns([1, 9], "sgcls") == []
