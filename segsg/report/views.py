"""Which columns of a wide table a page shows at first, and which its switch can show instead."""

from segsg.report.mask_tables import GAIN
from segsg.report.recall_tables import METRIC
from segsg.report.table import Column, Table

ALL = "all"
ALONE = (GAIN, "AP")
"""names of columns that say most of their group by themselves"""


def views(table: Table) -> dict[str, list[int]]:
    """Name of a view -> places of its columns, the one for the start first; nothing for a table that needs no switch.

    Columns at several K are shown for one of them: a measure that lacks it at its next larger K. Table 5 is shown
    measure by measure, and before, after and gain as the gain alone.
    """
    found = _by_depth(table.columns) or _by_measure(table.columns) or _alone(table.columns)
    every = list(range(len(table.columns)))
    found = {name: places for name, places in found.items() if places != every}
    return found | {ALL: every} if found else {}


def _by_depth(columns: tuple[Column, ...]) -> dict[str, list[int]]:
    families: dict[tuple[str, str], dict[int, int]] = {}
    for place, (group, metric) in enumerate(columns):
        measure, at, depth = metric.partition("@")
        if at:
            families.setdefault((group, measure), {})[int(depth)] = place
    depths = sorted({depth for family in families.values() for depth in family})
    first = int(METRIC.partition("@")[2])
    ordered = sorted(depths, key=lambda depth: (depth != first, depth)) if first in depths else depths[::-1]
    return {f"@{depth}": sorted(family[_at_least(depth, family)] for family in families.values()) for depth in ordered}


def _at_least(depth: int, family: dict[int, int]) -> int:
    """The smallest K of a measure that is no smaller than `depth`; its largest if none is."""
    return min((known for known in family if known >= depth), default=max(family))


def _by_measure(columns: tuple[Column, ...]) -> dict[str, list[int]]:
    measures = dict.fromkeys(group.partition(" ")[0] for group, _ in columns if "@" in group)
    return {
        measure: [place for place, (group, _) in enumerate(columns) if group.partition(" ")[0] == measure]
        for measure in measures
    }


def _alone(columns: tuple[Column, ...]) -> dict[str, list[int]]:
    return {
        name: places
        for name in ALONE
        if (places := [place for place, (group, other) in enumerate(columns) if group and other == name])
    }
