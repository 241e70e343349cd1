import pytest
from made_results import against, results, row

from segsg.report.findings import answer, evidence, frequency_gains, gains, slices
from segsg.report.recall_tables import candidates, ours


def pair(task, gain, low, high, **more):
    base = row("baseline", task=task, mR_50=0.2, **more)
    return base, row("seg-grounded", task=task, mR_50=0.2 + gain, comparisons=against(gain, low, high, "mR@50"), **more)


def test_gains_are_sliced_by_task_model_and_detector():
    study = results(*pair("sgcls", 0.03, 0.01, 0.05), *pair("predcls", -0.01, -0.04, 0.02))
    all_cells, *rest = slices(study)
    assert (all_cells.mean, all_cells.higher, all_cells.clear) == (pytest.approx(1.0), 1, (1, 0))
    assert [(s.axis, s.name) for s in rest] == [
        ("Task", "PredCls"), ("Task", "SGCls"), ("Model", "VCTree"), ("Detector", "ResNeXt-FPN, mini"),
    ]  # fmt: skip
    assert [s.mean for s in rest[:2]] == [pytest.approx(-1.0), pytest.approx(3.0)]


def test_a_study_without_pairs_has_no_findings():
    study = results(row("baseline", mR_50=0.2))
    assert gains(study) == {} and slices(study) == [] and evidence(study) == [] and frequency_gains(study) == {}


def test_gains_of_rare_predicates():
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    base["metrics"]["mR_tail@50"], grounded["metrics"]["mR_tail@50"] = {"value": 0.1}, {"value": 0.16}
    assert frequency_gains(results(base, grounded)) == {"tail": pytest.approx(6.0)}


@pytest.mark.parametrize(
    "numbers, said",
    [
        ((0.00, -0.01, 0.01), "within noise"),
        ((0.02, 0.01, 0.03), "shape helps beyond boxes"),
        ((-0.02, -0.03, -0.01), "the borrowed masks do harm"),
    ],
)
def test_masks_are_judged_against_rectangles(numbers, said):
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    grounded["comparisons"] |= against(*numbers, "mR@50", "rectangles")
    oracle = row("seg-grounded", mR_50=0.3, grounding={"masks": "oracle"})
    oracle["comparisons"] = against(0.05, 0.03, 0.07, "mR@50", "rectangles")
    (sentence,) = evidence(results(base, grounded, oracle))
    assert said in sentence
    assert sentence.count("one training of each") == 1 + ("noise" not in said)
    assert "True masks give +5.0 [3.0–7.0]: the signal is in the pixels" in sentence


def test_the_first_page_answers_in_short_from_single_runs():
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    assert answer(results(base)) == []
    assert answer(results(base, grounded)) == [
        "Mean recall is higher with grounding in 1 of 1 comparisons; over all, the mean difference is +3.0 points of "
        "mR@50. Clear of noise: 1 higher, 0 lower.",
        "A comparison of one training each leaves open what another seed would change.",
    ]


def test_the_first_page_says_whether_seeds_and_controls_bear_it_out():
    rows = []
    for seed in range(3):
        base, grounded = pair("sgcls", 0.03 + seed / 1000, 0.01, 0.05, seed=seed)
        grounded["comparisons"] |= against(-0.02 - seed / 1000, -0.03, -0.01, "mR@50", "rectangles")
        oracle = row("seg-grounded", mR_50=0.3, grounding={"masks": "oracle"}, seed=seed)
        oracle["comparisons"] = against(0.05 + seed / 1000, 0.03, 0.07, "mR@50", "rectangles")
        rows += [base, grounded, oracle]
    assert answer(results(*rows, *pair("predcls", -0.01, -0.03, 0.01))) == [
        "Mean recall is higher with grounding in 1 of 2 comparisons; over all, the mean difference is +1.1 points of "
        "mR@50. Clear of noise: 1 higher, 0 lower.",
        "Several seeds were trained for 1 of the 2; clearly higher of these: 1.",
        "A comparison of one training each leaves open what another seed would change.",
        "Whether it is the shape was asked in 1 place, where the same network was also shown its boxes as if they were "
        "masks: borrowed masks are clearly better in 0, clearly worse in 1.",
        "True masks are clearly better than boxes in 1 of 1.",
    ]


def test_the_first_page_says_whether_all_comparisons_have_seeds_and_whether_it_is_the_detector():
    rows = []
    for seed in range(3):
        base, grounded = pair("sgcls", 0.03 + seed / 1000, 0.01, 0.05, seed=seed)
        grounded["comparisons"] |= against(-0.02 - seed / 1000, -0.03, -0.01, "mR@50", "joint")
        rows += [base, grounded]
    assert answer(results(*rows))[1:] == [
        "Each comparison is a mean over several seeds of stage 2.",
        "A grounded model stands on a detector that learned from the mask set too. Whether it is that detector was "
        "asked in 1 place, where the model without masks was trained on it as well: with masks it is clearly better "
        "in 0, clearly worse in 1.",
    ]


@pytest.mark.parametrize(
    "numbers, said",
    [
        ((0.00, -0.01, 0.01), "within noise: what is gained over the baseline may be the joint detector's."),
        ((0.02, 0.01, 0.03), "a gain is not the detector's alone, as far as one training of each can tell."),
        ((-0.02, -0.03, -0.01), "the detector gains more without them, as far as one training of each can tell."),
    ],
)
def test_masks_are_judged_on_one_and_the_same_detector(numbers, said):
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    grounded["comparisons"] |= against(*numbers, "mR@50", "joint")
    (sentence,) = evidence(results(base, grounded))
    assert sentence.startswith("VCTree, ResNeXt-FPN, mini, SGCls: on one and the same detector masks give ")
    assert sentence.endswith(said)


def test_several_seeds_are_not_called_one_training():
    rows = []
    for seed in range(3):
        base, grounded = pair("sgcls", 0.03, 0.01, 0.05, seed=seed)
        grounded["comparisons"] |= against(0.02 + seed / 1000, 0.01, 0.03, "mR@50", "rectangles")
        rows += [base, grounded]
    (sentence,) = evidence(results(*rows))
    assert sentence.endswith("shape helps beyond boxes.")


def test_quality_edges_and_refinement_are_told_by_numbers():
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    nodes = row("seg-grounded", mR_50=0.21, grounding={"edges": "none"})
    final = row("seg-grounded", grounding={"refinement": "inference"}, masks={"AP": 0.31}, unrefined_masks={"AP": 0.3})
    quality = {"softmax": {"cup": 0.6}, "rectangles": {"cup": 0.4}}
    study = results(base, grounded, nodes, final, transfer_quality=quality)
    study["grounding"] = study["grounding"] | {"transfer": "softmax"}
    masks, edges, refined = evidence(study)
    assert "by 60.0 %" in masks and "by 40.0 %" in masks
    assert "in nodes alone reach 21.0 mR@50, in nodes and edges 23.0 (+2.0)" in edges
    assert "by +1.0 points in the mean of 1 rows; 1 of them" in refined


def variant(value, **changes):
    validation = {"images": 5, "metrics": {"mR@50": {"value": value}}}
    return row("seg-grounded", grounding=changes, validation=validation, mR_50=0.5 - value)


def test_ours_is_what_wins_on_validation_images_and_is_no_control():
    rows = (
        variant(0.2),
        variant(0.3, refinement="training"),
        variant(0.9, masks="oracle"),
        variant(0.8, transfer="oracle"),
    )
    study = results(*rows, variant(0.1, refinement="training") | {"task": "predcls"})
    assert [c.value for c in candidates(study)] == [pytest.approx(30.0), pytest.approx(20.0)]
    won = ours(study)
    assert {(one.method, one.task) for one in won} == {("ours", "sgcls"), ("ours", "predcls")}


def test_there_is_no_other_row_where_the_papers_recipe_wins():
    assert ours(results(variant(0.3), variant(0.2, refinement="training"))) == {}
    assert ours(results(variant(0.2), variant(0.3, refinement="inference"))) == {}
    assert candidates(results(variant(0.3))) == []


def test_a_single_run_does_not_compete_with_means_of_several():
    several = [variant(value) | {"seed": seed} for seed, value in enumerate((0.2, 0.3))]
    more = [variant(value, edges="union") | {"seed": seed} for seed, value in enumerate((0.2, 0.4))]
    study = results(*several, *more, variant(0.9, edges="average"))
    assert [round(c.value, 6) for c in candidates(study)] == [30.0, 25.0]


def test_rows_that_a_frequency_table_beats_are_said_to_be_unlearned():
    floor = row("frequency", model="frequency", detector="mini-fpn", mR_50=0.25)
    base, grounded = pair("sgcls", 0.1, 0.05, 0.15)
    (sentence,) = evidence(results(floor, base, grounded))
    assert sentence.endswith("no evidence either way: VCTree, ResNeXt-FPN, mini, SGCls, baseline (20.0).")
    assert gains(results(floor, base, grounded)) == {}
    assert len(gains(results(base, grounded))) == 1


@pytest.mark.parametrize(
    "numbers, said",
    [
        ((0.05, 0.03, 0.07), "the signal is in the pixels"),
        ((-0.05, -0.07, -0.03), "shape does not help here"),
        ((0.01, -0.01, 0.03), "little to gain from shape"),
    ],
)
def test_what_true_masks_would_bring_follows_their_sign(numbers, said):
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    grounded["comparisons"] |= against(0.0, -0.01, 0.01, "mR@50", "rectangles")
    oracle = row("seg-grounded", mR_50=0.3, grounding={"masks": "oracle"})
    oracle["comparisons"] = against(*numbers, "mR@50", "rectangles")
    (sentence,) = evidence(results(base, grounded, oracle))
    assert said in sentence and ("one training of each" in sentence) == ("little" not in said)
