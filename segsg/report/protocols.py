"""Tables 1 and 3 under every protocol that was measured, for the switch above them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from segsg.report.cells import Cell
from segsg.report.pages import filled_parts
from segsg.report.recall_tables import PAPERS as PAPERS_TOO
from segsg.report.recall_tables import Lines, recall_caption, recall_lines, recall_rows, task_columns
from segsg.report.table import Table
from segsg.study.names import rank

MEASURES = {
    "R": "recall",
    "mR": "mean recall",
    "zsR": "zero-shot recall",
    "F1": "F1 of recall and mean recall",
    "mR_head": "mean recall of frequent predicates",
    "mR_body": "mean recall of middling predicates",
    "mR_tail": "mean recall of rare predicates",
    "mR_pooled": "mean recall over pooled images",
    "mR_ref": "mean recall as the released code computes it",
}
"""in the order of the switch"""
METRIC = re.compile(r"(ng-?)?(?P<measure>.+)@\d+")
PAPERS = {"mR": ("table1", ("20", "50", "100")), "zsR": ("table3", ("20", "100"))}
"""measures of which the paper has numbers, with graph constraint: where, and at which K"""


@dataclass(frozen=True)
class Protocol:
    """A table under one protocol: its cells hold `measure`, `free` is without graph constraint. Rows stay in place."""

    measure: str
    free: bool
    table: Table


def metric_name(measure: str, free: bool, depth: str) -> str:
    """ "mR@20", "ngR@20", "ng-mR@20": the names of docs/metrics.md."""
    prefix = "" if not free else "ng" if measure == "R" else "ng-"
    return f"{prefix}{measure}@{depth}"


def protocols(results: dict, paper: dict, table: Table) -> list[Protocol]:
    """The table itself and its variants; none for a table without rows."""
    if not table.rows:
        return []
    depths = tuple(dict.fromkeys(metric.partition("@")[2] for _, metric in table.columns))
    own = own_measure(table)
    chosen = recall_lines(results)
    return [
        Protocol(measure, free, table if (measure, free) == (own, False) else _variant(chosen, paper, table, m))
        for measure in measures(chosen)
        for free in (False, True)
        if (m := _Metrics(measure, free, depths)) and _is_measured(chosen, m.names)
    ]


def own_measure(table: Table) -> str:
    """Name of the measure in the table's first column, without K, as measured with graph constraint."""
    return METRIC.fullmatch(table.columns[0][1])["measure"]


def measures(chosen: Lines) -> list[str]:
    """Names of all measures of the lines, such as "R" and "mR", without K and without the prefix of the constraint."""
    names = {name for rows in chosen.values() for row in rows for name in row["metrics"]}
    without_depth = {match["measure"] for name in names if (match := METRIC.fullmatch(name))}
    return sorted(without_depth, key=lambda name: rank(MEASURES, name))


@dataclass(frozen=True)
class _Metrics:
    measure: str
    free: bool
    depths: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(metric_name(self.measure, self.free, depth) for depth in self.depths)

    @property
    def words(self) -> str:
        what = MEASURES.get(self.measure, self.measure)
        return f"{what[0].upper()}{what[1:]} in per cent, {'without' if self.free else 'with'} graph constraint"

    def published(self, paper: dict) -> list[dict]:
        """The paper's rows with a number, or None, for each K of the table."""
        if self.free or self.measure not in PAPERS:
            return []
        name, depths = PAPERS[self.measure]
        at = [depths.index(depth) if depth in depths else None for depth in self.depths]
        return [
            {key: [None if i is None else v[i] for i in at] if isinstance(v, list) else v for key, v in row.items()}
            for row in paper[name]
        ]


def _is_measured(chosen: Lines, names: Iterable[str]) -> bool:
    measured = (seed["metrics"].get(name) for seeds in chosen.values() for seed in seeds for name in names)
    return any(cell is not None and cell["value"] is not None for cell in measured)


def _variant(chosen: Lines, paper: dict, table: Table, metrics: _Metrics) -> Table:
    columns = task_columns(chosen, metrics.names)
    columns = tuple(column for column in columns if column[0] in table.groups)
    published = metrics.published(paper)
    rows = {row.labels: row.cells for row in recall_rows(chosen, metrics.names, published)}
    shown = [replace(row, cells={c: rows.get(row.labels, {}).get(c, Cell()) for c in columns}) for row in table.rows]
    words = recall_caption(metrics.words, chosen, PAPERS_TOO if published else "")
    return replace(table, columns=columns, rows=tuple(shown), caption=words)


def switch_data(variants: list[Protocol]) -> list[dict]:
    """For the page's script: heads and cells in the order of the table's columns and rows, as texts."""
    return [
        {
            "measure": one.measure,
            "free": one.free,
            "caption": one.table.caption,
            "heads": [metric for _, metric in one.table.columns],
            "cells": [[filled_parts(row.cells[column]) for column in one.table.columns] for row in one.table.rows],
        }
        for one in variants
    ]


def switch_measures(variants: list[Protocol]) -> dict[str, str]:
    """Choices of the switch: measure, and what it is called."""
    return {one.measure: MEASURES.get(one.measure, one.measure) for one in variants}
