"""`segsg evaluate`, `compare` and `bench` on small files."""

import csv
import gzip
import json
import re
import sys
from dataclasses import replace
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from segsg import cli
from segsg.formats.lines import write_graphs, write_truths
from segsg.tools.evaluate import Request, evaluate

SCRIPT = util.spec_from_file_location("evaluator", Path(__file__).resolve().parents[1] / "benchmarks" / "evaluator.py")
bench = sys.modules["evaluator"] = util.module_from_spec(SCRIPT)
SCRIPT.loader.exec_module(bench)

NAMES = tuple(f"p{i}" for i in range(1, 6))
SIZE = bench.Size(images=12, boxes=8, pairs=40, predicates=6)


@pytest.fixture
def files(tmp_path):
    """Truths and predictions of made images, as files."""
    truths, graphs = zip(*bench.made(SIZE), strict=True)
    write_truths(tmp_path / "truth.jsonl", truths, NAMES)
    write_graphs(tmp_path / "predictions.jsonl.gz", graphs)
    return tmp_path


def request(folder: Path, **changes) -> Request:
    asked = {"truth": folder / "truth.jsonl", "predictions": folder / "predictions.jsonl.gz", "task": "sgdet"}
    return Request(**asked | {"resamples": 50} | changes)


def command(folder, *options):
    found = {"--truth": folder / "truth.jsonl", "--predictions": folder / "predictions.jsonl.gz", "--task": "sgdet",
             "--out": folder / "out", "--resamples": 20}  # fmt: skip
    return cli.main(["evaluate", *(str(word) for pair in found.items() for word in pair), *map(str, options)])


def test_the_command_writes_everything(files, capsys):
    (files / "zero_shot.json").write_text("[[1, 2, 3]]")
    (files / "counts.json").write_text(json.dumps(dict(zip(NAMES, (9, 7, 5, 3, 1), strict=True))))
    options = ("--zero-shot", files / "zero_shot.json", "--training-counts", files / "counts.json")
    assert command(files, *options) == 0
    assert "paper (12 images): R@50" in capsys.readouterr().out
    results = json.loads((files / "out" / "results.json").read_text())
    assert list(results["protocols"]) == sorted(["default", "paper", "scene-graph-benchmark"])
    assert results["skipped"] == {"entries": 0, "reasons": []}
    default = results["protocols"]["default"]
    assert default["predicates"]["group"] == ["head", "head", "body", "body", "tail"]
    cell = default["metrics"]["mR_head@20"]
    assert 0 < cell["low"] <= cell["value"] <= cell["high"] < 1
    rows = list(csv.DictReader((files / "out" / "metrics.csv").open()))
    assert len(rows) == 3 * len(default["metrics"])
    assert all(float(row["value"]) == pytest.approx(
        results["protocols"][row["protocol"]]["metrics"][row["metric"]]["value"], abs=1e-6
    ) for row in rows if row["value"])  # fmt: skip
    assert len(list(csv.DictReader((files / "out" / "predicates.csv").open()))) == 3 * 5
    assert len(list((files / "out" / "ranks").iterdir())) == 3


def test_the_page_shows_all_protocols_and_asks_for_nothing(files):
    evaluate(request(files), files / "out")
    page = (files / "out" / "index.html").read_text()
    for text in ("Default", "Paper", "Scene-Graph-Benchmark", "ng-mR@100", "What your number would be elsewhere"):
        assert text in page
    assert page.count('class="bar"') == 5
    assert "http" not in page and "<script" not in page


def test_the_same_files_give_the_same_bytes(files):
    for name in ("a", "b"):
        evaluate(request(files), files / name)
    made = sorted(path.relative_to(files / "a") for path in (files / "a").rglob("*") if path.is_file())
    assert len(made) == 8
    assert all((files / "a" / path).read_bytes() == (files / "b" / path).read_bytes() for path in made)


def test_results_replace_results_and_nothing_else(files, capsys):
    assert command(files) == 0 and command(files) == 0
    (files / "mine").mkdir()
    (files / "mine" / "index.html").write_text("a page of mine")
    assert command(files, "--out", files / "mine") == 1
    assert "mine/index.html: would be replaced, and no `segsg evaluate` wrote it" in capsys.readouterr().err
    assert [path.name for path in (files / "mine").iterdir()] == ["index.html"]
    assert (files / "mine" / "index.html").read_text() == "a page of mine"


def test_a_name_that_a_spreadsheet_takes_for_a_formula_is_inert(files):
    truth = (files / "truth.jsonl").read_text().replace('"p1"', '"=1+1"')
    (files / "truth.jsonl").write_text(truth)
    evaluate(request(files), files / "out")
    rows = list(csv.DictReader((files / "out" / "predicates.csv").open()))
    assert {row["predicate"] for row in rows} == {"'=1+1", "p2", "p3", "p4", "p5"}


def test_one_protocol_is_as_good_as_all(files):
    alone = evaluate(request(files, protocol="paper"), files / "one")["protocols"]
    assert alone == {"paper": evaluate(request(files), files / "all")["protocols"]["paper"]}


def edit(path: Path, number: int, change) -> None:
    """Change the record of an image (numbers count from 0) of a file of lines."""
    lines = path.read_text().splitlines()
    record = json.loads(lines[number + 1])
    lines[number + 1] = json.dumps(change(record) or record)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def plain(files):
    """`files` with predictions that tests can edit."""
    write_graphs(files / "predictions.jsonl", (graph for _, graph in bench.made(SIZE)))
    return files


def first_score(value):
    def change(record):
        record["predicate_scores"][0][1] = value

    return change


WRONG = {
    "NaN": ("predictions", first_score(float("nan")), "image 3: predicate probabilities must be within 0..1, no NaN"),
    "logits": ("predictions", first_score(7.5), "Are they logits?"),
    "NaN score": ("predictions", lambda r: r["scores"].__setitem__(0, float("nan")), "image 3: object scores"),
    "itself": ("predictions", lambda r: r["pairs"].__setitem__(0, [2, 2]), "image 3: a pair joins a region with"),
    "pair": ("predictions", lambda r: r["pairs"].__setitem__(0, [0, 8]), "must index the image's 8 regions from 0"),
    "box": ("predictions", lambda r: r["boxes"].__setitem__(0, [50, 50, 10, 10]), "are they (cx, cy, w, h)?"),
    "columns": ("predictions", lambda r: r.update(predicate_scores=[row[:4] for row in r["predicate_scores"]]),
                "4 predicate columns where 6 are needed"),
    "unknown image": ("predictions", lambda r: r.update(image_id=99), "image 99: no (usable) truth of it"),
    "twice": ("predictions", lambda r: r.update(image_id=2), "image 2: predicted twice"),
    "not JSON": ("predictions", lambda r: "x", "line 5: not an object"),
    "true box": ("truth", lambda r: r["boxes"].__setitem__(0, [50, 50, 10, 10]), "image 3: true boxes must be"),
    "true relation": ("truth", lambda r: r["relations"].__setitem__(0, [0, 90, 1]), "image 3: true relations must"),
    "true predicate": ("truth", lambda r: r["relations"].__setitem__(0, [0, 1, 6]), "image 3: true predicates must"),
    "true class": ("truth", lambda r: r["classes"].__setitem__(0, 0), "image 3: true labels must count from 1"),
    "true twice": ("truth", lambda r: r.update(image_id=2), "image 2: listed twice"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "change", "rule"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_image_is_named_or_left_out(name, change, rule, plain):
    edit(plain / f"{name}.jsonl", 3, change)
    wrong = request(plain, predictions=plain / "predictions.jsonl")
    with pytest.raises(ValueError, match=f"{name}\\.jsonl") as error:
        evaluate(wrong, plain / "out")
    assert rule in str(error.value)
    assert not (plain / "out").exists()
    results = evaluate(replace(wrong, lenient=True), plain / "out")
    assert results["images"] == 11
    assert results["skipped"]["entries"] in (1, 2)
    assert any(rule in reason for reason in results["skipped"]["reasons"])
    assert "left out (--lenient)" in (plain / "out" / "index.html").read_text()


def test_a_missing_image(plain):
    path = plain / "predictions.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(ValueError, match=r"predictions\.jsonl: image 11: no prediction"):
        evaluate(request(plain, predictions=path), plain / "out")
    assert evaluate(request(plain, predictions=path, lenient=True), plain / "out")["images"] == 11


def test_more_predicates_than_names(files, capsys):
    (files / "names.txt").write_text("on\nunder\n")
    assert command(files, "--predicate-names", files / "names.txt") == 1
    message = capsys.readouterr().err
    assert "predictions.jsonl.gz: scores of 5 predicates beside background, but" in message
    assert "names.txt names 2" in message


@pytest.mark.parametrize("name", ["truth.jsonl", "predictions.jsonl"])
def test_an_empty_file(name, plain):
    (plain / name).write_text("")
    with pytest.raises(ValueError, match=f"{name}: empty"):
        evaluate(request(plain, predictions=plain / "predictions.jsonl", lenient=True), plain / "out")


def test_nothing_left(plain):
    path = plain / "truth.jsonl"
    path.write_text(path.read_text().splitlines()[0])
    with pytest.raises(ValueError, match=r"truth\.jsonl: no usable image"):
        evaluate(request(plain), plain / "out")


def test_orders_of_the_files_do_not_matter(plain):
    lines = (plain / "predictions.jsonl").read_text().splitlines()
    (plain / "predictions.jsonl").write_text("\n".join([lines[0], *lines[:0:-1]]))
    turned = evaluate(request(plain, predictions=plain / "predictions.jsonl"), plain / "a")
    assert turned["protocols"] == evaluate(request(plain), plain / "b")["protocols"]


def test_compare(files, capsys):
    evaluate(request(files), files / "a")
    worse = [replace(g, predicate_probabilities=g.predicate_probabilities.flip(1)) for _, g in bench.made(SIZE)]
    write_graphs(files / "predictions.jsonl.gz", worse)
    evaluate(request(files), files / "b")
    out = files / "difference"
    assert cli.main(["compare", str(files / "a"), str(files / "b"), "--out", str(out), "--resamples", "50"]) == 0
    printed = capsys.readouterr().out
    assert "R@50 of each predicate" in printed and "p3" in printed
    results = json.loads((out / "compare.json").read_text())
    cell = results["metrics"]["R@20"]
    assert cell["difference"] == pytest.approx(cell["system"] - cell["baseline"])
    assert cell["low"] <= cell["difference"] <= cell["high"] < 0
    assert len(list(csv.DictReader((out / "predicates.csv").open()))) == 6 * 5
    by_file = [str(files / name / "ranks" / "default.npz") for name in "ab"]
    assert cli.main(["compare", *by_file, "--resamples", "50"]) == 0
    assert capsys.readouterr().out.splitlines()[2:20] == printed.splitlines()[2:20]


def test_compare_task_by_task(files, capsys):
    for system in "ab":
        for task in ("predcls", "sgdet"):
            evaluate(request(files), files / system / task)
    assert cli.main(["compare", str(files / "a"), str(files / "b"), "--out", str(files / "c"), "--resamples", "9"]) == 0
    assert capsys.readouterr().out.count("of each predicate") == 2
    assert {path.parent.name for path in (files / "c").rglob("compare.json")} == {"predcls", "sgdet"}


def test_two_tasks_are_not_compared(files, capsys):
    for task in ("sgcls", "sgdet"):
        evaluate(
            request(files, task=task) if task == "sgdet" else request(files, task=task, lenient=True), files / task
        )
    assert cli.main(["compare", str(files / "sgcls"), str(files / "sgdet")]) == 1
    assert "sgcls is sgcls" in capsys.readouterr().err


def test_compare_needs_ranks(tmp_path, capsys):
    assert cli.main(["compare", str(tmp_path), str(tmp_path)]) == 1
    assert "neither a file of ranks nor a folder" in capsys.readouterr().err


BENCH = ["--images=4", "--boxes=9", "--pairs=50", "--predicates=6", "--plain-images=3"]


@pytest.mark.parametrize("task", ["predcls", "sgcls", "sgdet"])
def test_bench(task, capsys, monkeypatch):
    for more, text in (([], "equal results"), (["--all-protocols"], "scene-graph-benchmark R@50")):
        monkeypatch.setattr(sys, "argv", ["evaluator.py", *BENCH, f"--task={task}", *more])
        assert bench.main("evaluate", bench.measure, other="plain", title="") == 0
        assert text in capsys.readouterr().out


def test_the_command_runs_the_bench(capfd):
    assert cli.main(["bench", "evaluate", *BENCH, "--task", "all"]) == 0
    printed = capfd.readouterr().out
    for task in ("predcls", "sgcls", "sgdet"):
        assert f"4 images x 9 boxes x 50 pairs x 6 predicates, {task}" in printed
        assert f"{task}: plain on 3 images, equal results" in printed


def test_the_examples_of_the_documentation(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text()
    truth, predictions = re.findall(r"```jsonl\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "truth.jsonl").write_text(truth)
    (tmp_path / "predictions.jsonl").write_text(predictions)
    asked = request(tmp_path, predictions=tmp_path / "predictions.jsonl", resamples=5)
    results = evaluate(asked, tmp_path / "out")
    assert results["names"] == ["on", "wears"]
    assert all(found["metrics"]["R@20"]["value"] == 1 for found in results["protocols"].values())


def test_bench_notices_unequal_results(monkeypatch):
    monkeypatch.setattr(bench, "_plain", lambda images, size, protocol: {"R@20": 2.0})
    with pytest.raises(bench.Unequal, match=r"R@20 is 0\.\d+ by the fast evaluator and 2\.0 by the plain one"):
        bench.bench(SIZE, 2)


def test_made_predictions_are_partly_right():
    results = [graph.predicate_probabilities.numpy() for _, graph in bench.made(SIZE)]
    assert np.concatenate(results).max() > 2 * np.concatenate(results).mean()


def rewritten(path: Path, change):
    """The uncompressed prediction file with `change` made to each record of an image."""
    with gzip.open(path, "rt") as lines:
        head, *records = [json.loads(line) for line in lines]
    out = path.with_name("changed.jsonl")
    for record in records:
        change(record)
    out.write_text("".join(f"{json.dumps(record)}\n" for record in (head, *records)))
    return out


SILENT = {
    "fractions of a class": (
        lambda record: record.update(classes=[c + 0.5 for c in record["classes"]]),
        "whole numbers",
    ),
    "fractions of a pair": (lambda record: record.update(pairs=[[s, o + 0.5] for s, o in record["pairs"]]), "whole"),
    "classes from 0": (lambda record: record.update(classes=[0 for _ in record["classes"]]), "count from 1"),
    "classes in words": (lambda record: record.update(classes=[str(c) for c in record["classes"]]), "table of numbers"),
}


@pytest.mark.parametrize("case", SILENT)
def test_numbers_are_never_rounded_or_guessed(files, case, capsys):
    change, rule = SILENT[case]
    path = rewritten(files / "predictions.jsonl.gz", change)
    assert command(files, "--predictions", path) != 0
    said = capsys.readouterr().err
    assert "changed.jsonl" in said and rule in said


def test_what_only_looks_wrong_is_said_beside_the_numbers(files, capsys):
    def shares(record):
        record["boxes"] = [[corner / 1000 for corner in box] for box in record["boxes"]]

    path = rewritten(files / "predictions.jsonl.gz", shares)
    (files / "zero_shot.json").write_text("[[98, 1, 97]]")
    assert command(files, "--predictions", path, "--zero-shot", files / "zero_shot.json") == 0
    said = capsys.readouterr().err
    page = (files / "out" / "index.html").read_text()
    for concern in (
        "All predicted boxes lie within",
        "No true relation is in the list",
    ):
        assert concern in said and concern in page


def test_boxes_and_classes_that_belong_to_another_truth_are_noticed(files):
    def concerns(change):
        path = rewritten(files / "predictions.jsonl.gz", change)
        return evaluate(request(files, predictions=path), files / "out")["concerns"]

    def elsewhere(record):
        record["boxes"] = [[corner + 5000 for corner in box] for box in record["boxes"]]

    assert "No predicted box lies on a true one" in concerns(elsewhere)[0]
    assert "No predicted class is that of" in concerns(lambda r: r.update(classes=[99 for _ in r["classes"]]))[0]
    (said,) = concerns(lambda r: r.update(classes=[c + (i > 0) for i, c in enumerate(r["classes"])]))
    assert re.search(r"one more than that of their true box than equal to it \(\d+ against \d+\)", said)


def test_a_sound_file_raises_no_concern(files):
    assert evaluate(request(files), files / "out")["concerns"] == []
