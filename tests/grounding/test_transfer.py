import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from segsg.grounding.transfer import MODES, explain, transfer_matrix

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "transfer_vg150_coco80.json").read_text())
NAME_PAIRS = json.loads((ROOT / "data" / "facts" / "name_pairs_vg150_coco80.json").read_text())
CLASSES, MASK_CLASSES, COMBINED = GOLDEN["classes"], GOLDEN["mask_classes"], GOLDEN["combined"]
THRESHOLD = 0.05


def matrix_of(classes, mask_classes, vectors, mask_vectors, pairs, mode, threshold):
    rows = (vectors, mask_vectors)
    return transfer_matrix(classes, mask_classes, *rows, name_pairs=pairs, mode=mode, threshold=threshold)


def vectors(rows, seed):
    return torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed))


def small(mode, name_pairs=None, threshold=THRESHOLD):
    classes, mask_classes = ["cat", "bike", "wheel", "sky"], ["dog", "cat", "motorcycle"]
    pairs = {"bike": "motorcycle"} if name_pairs is None else name_pairs
    return matrix_of(classes, mask_classes, vectors(4, 0), vectors(3, 1), pairs, mode, threshold)


def check_golden(matrix):
    """66 classes copy a mask class, 84 combine from one to six."""
    rows = dict(explain(matrix, CLASSES, MASK_CLASSES))
    same = {name: name for name in CLASSES if name in MASK_CLASSES}
    copied = same | NAME_PAIRS
    assert (len(same), len(copied), len(rows) - len(copied)) == (39, 66, 84)
    assert all(rows[name] == [(partner, 1.0)] for name, partner in copied.items())
    assert Counter(len(rows[name]) for name in COMBINED) == {1: 28, 2: 23, 3: 11, 4: 8, 5: 12, 6: 2}
    for name, weights in COMBINED.items():
        assert dict(rows[name]) == pytest.approx(weights, abs=2e-5)


def test_golden_matrix_of_real_word_vectors():
    folder = ROOT.parent / "shared" / "real" / "glove"
    if not folder.is_dir():
        pytest.skip("needs real word vectors in ../shared/real/glove, which are not part of the project")
    rows = [torch.from_numpy(np.load(folder / f"glove_mean_{name}_300d.npy")) for name in ("vg", "coco")]
    check_golden(matrix_of(CLASSES, MASK_CLASSES, *rows, NAME_PAIRS, "softmax", THRESHOLD))


def test_golden_matrix_of_vectors_made_for_it():
    """With unit vectors as mask classes, dot products are a class vector's entries; their softmax undoes a log."""
    weights = torch.tensor([[COMBINED.get(c, {}).get(m, 0.0) for m in MASK_CLASSES] for c in CLASSES])
    rows = (weights + 1e-9).log()
    matrix = transfer_matrix(
        CLASSES,
        MASK_CLASSES,
        rows,
        torch.eye(len(MASK_CLASSES)),
        name_pairs=NAME_PAIRS,
        mode="softmax",
        threshold=THRESHOLD,
    )
    check_golden(matrix)


def test_dot_products_are_scaled_to_absolute_sum_one():
    products = vectors(4, 0) @ vectors(3, 1).T
    assert_close(small("dot"), products / products.abs().sum(1, keepdim=True))
    assert (small("dot") < 0).any()


def test_cosine_does_not_see_lengths():
    names = (["cat", "bike", "wheel", "sky"], ["dog", "cat", "motorcycle"])
    longer = vectors(3, 1) * torch.tensor([[9.0], [1.0], [0.2]])
    assert_close(matrix_of(*names, vectors(4, 0) * 3, longer, {}, "cosine", 0.0), small("cosine"))
    cosines = torch.nn.functional.cosine_similarity(vectors(4, 0)[:, None], vectors(3, 1)[None], dim=-1)
    assert_close(small("cosine"), cosines / cosines.abs().sum(1, keepdim=True))


def test_softmax_copies_partners_and_drops_small_weights():
    matrix = small("softmax", threshold=0.3)
    assert matrix[:2].tolist() == [[0, 1, 0], [0, 0, 1]]
    weights = (vectors(4, 0) @ vectors(3, 1).T).softmax(1)[2:]
    kept = weights * (weights >= 0.3)
    assert_close(matrix[2:], kept / kept.sum(1, keepdim=True))
    assert (matrix == 0)[2:].any()


def test_a_threshold_above_every_weight_leaves_the_largest():
    matrix = small("softmax", threshold=1.0)
    assert_close(matrix.sum(1), torch.ones(4))
    assert (matrix > 0).sum() == 4


def test_a_pair_beats_the_same_name():
    assert small("softmax", {"cat": "dog"})[0].tolist() == [1, 0, 0]


def test_oracle_is_its_pairs_and_what_has_none_borrows_as_ever():
    pairs, rows = {"bike": "dog", "sky": "cat"}, (vectors(3, 0) / 3, vectors(2, 1) / 3)
    matrix = matrix_of(["cat", "bike", "sky"], ["dog", "cat"], *rows, pairs, "oracle", THRESHOLD)
    borrowed = matrix_of(["puma", "bike", "sky"], ["dog", "cat"], *rows, {}, "softmax", THRESHOLD)
    assert matrix[1:].tolist() == [[1, 0], [0, 1]]
    assert_close(matrix[0], borrowed[0])
    assert 0 < matrix[0, 0] < 1  # not the class of the same name, which may be drawn otherwise


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_finite_rows_of_absolute_sum_one_or_zero(mode):
    sums = small(mode).abs().sum(1)
    assert_close(sums, sums.round())
    zero = matrix_of(["sky"], ["dog"], torch.zeros(1, 8), vectors(1, 1), {}, mode, THRESHOLD)
    assert zero.isfinite().all() and zero.shape == (1, 1)


def test_pairs_of_classes_that_are_absent_are_ignored():
    assert_close(small("softmax", {"bike": "motorcycle", "zebra": "horse"}), small("softmax"))


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="'softmx' is not one of softmax, dot, cosine, oracle"):
        small("softmx")
    with pytest.raises(ValueError, match="name pair 'bike': 'motorbike' is no mask class; choose one of dog, cat"):
        small("softmax", {"bike": "motorbike"})
    with pytest.raises(ValueError, match=r"3 word vectors for 1 names \(cat ...\)"):
        matrix_of(["cat"], ["dog"], vectors(3, 0), vectors(1, 0), {}, "dot", 0.0)
    with pytest.raises(ValueError, match="0 word vectors for 1 names"):
        matrix_of(["cat"], ["dog"], torch.zeros(0, 8), vectors(1, 0), {}, "dot", 0.0)


def test_explain_lists_weights_by_size():
    matrix = torch.tensor([[0.25, 0, -0.75], [0, 0, 0]])
    assert explain(matrix, ["a", "b"], ["x", "y", "z"]) == [("a", [("z", -0.75), ("x", 0.25)]), ("b", [])]
