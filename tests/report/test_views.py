"""Which columns a page shows at first: those of one K, of one measure, or the gain alone."""

import pytest

from segsg.report.table import Table
from segsg.report.views import views

TASKS = ("PredCls", "SGCls")


def table(*columns):
    return Table(name="t", title="T", profile="mini", heads=("Model",), columns=columns, rows=(), caption="",
                 why_empty="")  # fmt: skip


def columns(*names, groups=TASKS):
    return tuple((group, name) for group in groups for name in names)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (columns("mR@20", "mR@50", "mR@100"), {"@50": [1, 4], "@20": [0, 3], "@100": [2, 5]}),
        (columns("zsR@20", "zsR@100"), {"@100": [1, 3], "@20": [0, 2]}),
        (columns("mR@20", "mR@50", "mR@100", "zsR@20", "zsR@100", groups=("",)),
         {"@50": [1, 4], "@20": [0, 3], "@100": [2, 4]}),
        (columns("no masks", "true masks", groups=("mR@50", "mR@50 minus rectangles", "zsR@100")),
         {"mR@50": [0, 1, 2, 3], "zsR@100": [4, 5]}),
        (columns("no refine", "refine", "gain"), {"gain": [2, 5]}),
        (columns("AP", "AP50"), {"AP": [0, 2]}),
        (columns("softmax", "oracle", groups=("",)), {}),
        ((), {}),
    ],
)  # fmt: skip
def test_a_view_is_the_places_of_its_columns_the_first_for_the_start(made, found):
    every = {"all": list(range(len(made)))} if found else {}
    assert list(views(table(*made)).items()) == list((found | every).items())
