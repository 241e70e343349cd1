import io
import json
import time

import pytest
from rich.console import Console

from segsg.pipeline import progress
from segsg.pipeline.progress import Alive, Lines, Run, Times, duration, elsewhere, now_says, show_of


@pytest.fixture
def run(tmp_path):
    times = Times(tmp_path / "times.json", {"data@mini": 60.0, "rows@a": 200.0, "rows@b": 100.0})
    return Run(("data@mini", "rows@a", "rows@new"), 2, times, tmp_path)


def test_a_stage_that_never_ran_takes_as_long_as_others_of_its_kind(run):
    assert run.times.of("rows@new") == 150
    assert run.times.of("report") is None
    assert run.first_line("mini").startswith("Study 'mini': 3 stages to run, 2 at a time, last time 3 min. Logs: ")


def test_times_of_this_machine_count_more_and_are_found_again(run):
    run.times.took("rows@a", 20.04)
    again = Times(run.times.path, {"rows@a": 200.0, "rows@b": 100.0})
    assert [again.of(stage) for stage in ("rows@a", "rows@b")] == [20.0, 100.0]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": "long"}', '{"a": null}', '{"a": 1, "a": 2}'])
def test_a_damaged_file_of_times_costs_the_estimate_and_no_more(content, tmp_path):
    (tmp_path / "times.json").write_text(content)
    assert Times(tmp_path / "times.json").of("rows@a") is None


def test_there_is_no_estimate_where_most_stages_are_unknown(run):
    run.stages = ("data@mini", "report", "figures")
    assert run.left() is None
    assert ", last time" not in run.first_line("mini")


def test_time_left_shrinks_as_stages_run_and_end(run, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert run.left() == (60 + 200 + 150) / 2
    run.begins("data@mini")
    now[0] += 30
    assert run.left() == (30 + 200 + 150) / 2
    now[0] += 300  # longer than last time: it may end at any moment
    assert run.left() == (200 + 150) / 2
    assert run.ends("data@mini", failed=False) == "[1/3] data@mini  6 min"
    run.begins("rows@a")
    assert run.ends("rows@a", failed=True) == "rows@a: failed after 0 s; all that does not need it goes on"
    assert run.left() == 150 / 2


def test_a_failed_stage_leaves_its_last_time(run):
    run.begins("rows@a")
    run.ends("rows@a", failed=True)
    assert run.times.of("rows@a") == 200


def test_a_passport_says_how_long_stages_took_elsewhere(tmp_path):
    stages = [{"stage": "data", "row": "", "seconds": 5}, {"stage": "rows", "row": "x", "seconds": 7}]
    (tmp_path / "passport.json").write_text(json.dumps({"stages": stages}))
    assert elsewhere(tmp_path / "passport.json", "mini") == {"data@mini": 5, "rows@x": 7}


@pytest.mark.parametrize("content", [None, "{}", '{"stages": 3}', '{"stages": [{"stage": "a"}]}'])
def test_without_a_passport_nothing_is_known(content, tmp_path):
    if content is not None:
        (tmp_path / "passport.json").write_text(content)
    assert elsewhere(tmp_path / "passport.json", "mini") == {}


LOG = "Running stage:\n[1/4] x: trained  5 s\n[2/4] y: kept  0 s\nz:   0%|  | 0/9\rz:  \x1b[32m50%\x1b[0m|# | 4/9"


@pytest.mark.parametrize(
    ("text", "expected"),
    [(LOG, "2 of 4 rows; z:  50%|# | 4/9"), ("one\ntwo\n\n", "two"), ("", ""), (None, "")],
)
def test_what_a_log_says_now(text, expected, tmp_path):
    log = tmp_path / "rows@a.log"
    if text is not None:
        log.write_text(text)
    assert now_says(log) == expected


def test_of_a_long_log_the_end_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "TAIL", 10)
    (tmp_path / "a.log").write_text("x" * 100 + "\nthe end")
    assert now_says(tmp_path / "a.log") == "the end"


def test_a_terminal_shows_what_runs_below_what_has_ended(run):
    screen = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    (run.logs / "rows@a.log").write_text(f"{LOG}{'#' * 100}")
    with show_of(run, quiet=False, console=screen) as show:
        assert isinstance(show, Alive)
        run.begins("data@mini")
        show.say(run.ends("data@mini", failed=False))
        show.began(run.begins("rows@a"))
        screen.print(show.picture())
    lines = [line.rstrip() for line in screen.file.getvalue().splitlines()]
    assert any("[1/3] data@mini  0 s" in line for line in lines)
    assert any(line.endswith("1 of 3 stages, 0 s, about 3 min left") for line in lines)
    stage = next(line for line in lines if line.startswith("  rows@a  0 s  2 of 4 rows; z:  50%"))
    assert len(stage) <= 80 and stage.endswith("…")
    assert not any("rows@a: runs" in line for line in lines)  # the picture says so already


def test_a_log_gets_a_line_for_each_event(run, capsys):
    with show_of(run, quiet=False, console=Console(file=io.StringIO())) as show:
        assert isinstance(show, Lines)
        show.began(run.begins("rows@a"))
        show.say(run.ends("rows@a", failed=False))
    assert capsys.readouterr().out.splitlines() == ["rows@a: runs", "[1/3] rows@a  0 s"]


def test_whoever_wants_quiet_gets_it(run, capsys):
    with show_of(run, quiet=True) as show:
        show.began("a")
        show.say("b")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1.0, "0 s"),
        (0.4, "0 s"),
        (99.0, "99 s"),
        (100.0, "2 min"),
        (5969.0, "99 min"),
        (6000.0, "1 h 40 min"),
        (7500.0, "2 h 05 min"),
    ],
)
def test_durations_in_words(seconds, expected):
    assert duration(seconds) == expected
