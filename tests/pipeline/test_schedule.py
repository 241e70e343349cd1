import threading
import time

import pytest

from segsg.pipeline.schedule import run_all

NEEDS = {"data": set(), "detector": {"data"}, "look": {"detector"}, "model": {"look", "data"}, "other": {"data"}}


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_every_stage_runs_once_and_after_what_it_needs(jobs):
    begun, done = [], []

    def run(stage):
        begun.append(stage)
        assert NEEDS[stage] <= set(done)
        time.sleep(0.01)
        done.append(stage)

    assert run_all(NEEDS, run, jobs) == []
    assert sorted(begun) == sorted(NEEDS)


def test_a_stage_waits_for_no_stage_that_it_does_not_need():
    """`look` begins while `other`, of the same depth as `detector`, still runs."""
    look_began = threading.Event()

    def run(stage):
        if stage == "look":
            look_began.set()
        return None if stage != "other" or look_began.wait(10) else "look was kept waiting"

    assert run_all(NEEDS, run, 2) == []


def test_what_needs_a_failed_stage_is_left_out_and_the_rest_done():
    begun = []

    def run(stage):
        begun.append(stage)
        return "detector: failed" if stage == "detector" else None

    assert run_all(NEEDS, run, 2) == ["detector: failed"]
    assert sorted(begun) == ["data", "detector", "other"]


def test_no_more_stages_run_at_a_time_than_there_are_jobs():
    running, most = set(), []

    def run(stage):
        running.add(stage)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(stage)

    run_all({str(i): set() for i in range(8)}, run, 3)
    assert max(most) == 3
