import json

import pytest

from segsg.pipeline.durations import durations


def executed(folder, name: str, **noted) -> None:
    (folder / name).write_text(json.dumps({"cells": [], "metadata": {"papermill": noted} if noted else {}}))


def test_stage_row_and_seconds_are_read(tmp_path):
    executed(tmp_path, "30_scene_graph-mini-motifs.ipynb", duration=12.345, end_time="2026-11-24T22:00:00")
    executed(tmp_path, "10_data.ipynb", duration=1.0, end_time="2026-11-24T21:00:00")
    assert durations([tmp_path], {"mini-motifs", "a", "b"}) == [
        {"stage": "data", "row": "", "seconds": 1.0, "ended": "2026-11-24T21:00:00"},
        {"stage": "scene_graph", "row": "mini-motifs", "seconds": 12.3, "ended": "2026-11-24T22:00:00"},
    ]


def test_unfinished_notebooks_are_no_runs(tmp_path):
    executed(tmp_path, "10_data.part.ipynb", duration=1.0, end_time="2026-11-24T21:00:00")
    executed(tmp_path, "20_detector-a.ipynb", duration=None, end_time=None)
    executed(tmp_path, "20_detector-b.ipynb")
    assert durations([tmp_path], {"mini-motifs", "a", "b"}) == []


def test_rows_of_other_reports_are_left_out_and_a_reports_own_tables_count(tmp_path):
    shared, own = tmp_path / "mini", tmp_path / "mini-seeds"
    for folder, seconds in ((shared, 1.0), (own, 2.0)):
        folder.mkdir()
        executed(folder, "51_table1.ipynb", duration=seconds, end_time="2026-11-24T21:00:00")
    executed(shared, "20_detector-other.ipynb", duration=1.0, end_time="2026-11-24T21:00:00")
    found = durations([shared, own], {"mine"})
    assert [(entry["stage"], entry["seconds"]) for entry in found] == [("table1", 2.0)]


def test_a_machine_where_nothing_ran_has_no_minutes(tmp_path):
    assert durations([tmp_path / "nowhere"], []) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"metadata": []}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text):
    (tmp_path / "10_data.ipynb").write_text(text)
    with pytest.raises(ValueError, match=r"10_data\.ipynb: no notebook"):
        durations([tmp_path], [])
