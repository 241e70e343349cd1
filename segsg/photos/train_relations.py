"""Trains the relater of photos on VRD's annotations, and measures it beside the frequency table.

    python -m segsg.photos.train_relations --train annotations_train.json --test annotations_test.json \
        --objects objects.json --predicates predicates.json --words glove.6B.50d.txt --out relater

No photo is read. Every choice is made on photos of the training split that a network did not see; test photos are
looked at once, at the end. results.json in `--out` has all numbers, photos.json the names of the photos.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from segsg.data.views import Subset
from segsg.data.vrd import Annotation, RelationSet, read_vocabulary
from segsg.data.words import WordVectors
from segsg.evaluation.bootstrap import compare
from segsg.evaluation.metrics import FREE, metrics, named
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.ranks import Ranks, Recall
from segsg.files import check_writable, digest, to_json, user_path, write_text
from segsg.models.parts import log_frequencies
from segsg.photos.calibration import at_threshold, calibrate
from segsg.photos.cross_fit import Numbers, cross_fit
from segsg.photos.folder import SEEN
from segsg.photos.relater import Calibration, Relater, lifted, save_relater
from segsg.photos.relation_pairs import RelationPairs, ranks_of, relation_pairs
from segsg.photos.reliability import reliability
from segsg.study.prepare import predicate_counts, zero_shot
from segsg.values import at_least

LIFTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""of which one is chosen: how much of log(share of the most frequent predicate / its own) a predicate gets"""
COST = 0.02
"""of recall at 50, that lifting may cost on held-out photos"""
MEASURES = [
    named(prefix, metric, depth) for prefix in ("", FREE) for metric in ("R", "mR", "zsR") for depth in DEFAULT.depths
]
RESULTS = "results.json"
PER_CENT = 100


def annotations_of(photos: RelationSet | Subset) -> list[Annotation]:
    """All annotations of a set."""
    return [photos.annotation(index) for index in range(len(photos))]


def rarity(holds: Bool[Tensor, "pairs predicates"]) -> Float[Tensor, "predicates"]:
    """log(most frequent predicate's count / own count) of each predicate, one added to counts; 0 for background."""
    counts = holds.sum(dim=0).float() + 1
    counts[0] = counts[1:].max()
    return (counts[0] / counts).log()


def sizes(photos: RelationSet | Subset) -> tuple[int, int]:
    """Numbers of classes and predicates, with background."""
    return len(photos.vocabulary.classes) + 1, len(photos.vocabulary.predicates) + 1


@dataclass(frozen=True)
class PredCls:
    """Photos to be judged, all their pairs, and what the evaluation knows of the photos that were trained on."""

    annotations: list[Annotation]
    pairs: RelationPairs
    unseen: Int[Tensor, "triplets 3"]
    counts: Int[Tensor, "predicates"]

    @classmethod
    def of(cls, train: RelationSet | Subset, test: RelationSet | Subset) -> "PredCls":
        """The task on `test` after training on `train`."""
        annotations = annotations_of(test)
        pairs = relation_pairs(annotations, sizes(test)[1])
        return cls(annotations, pairs, zero_shot(train, test), predicate_counts(train, *sizes(train)).sum(dim=(0, 1)))

    def ranks(self, probabilities: Float[Tensor, "pairs predicates"]) -> Ranks:
        """The places at which these probabilities find the annotated relations."""
        recall = Recall("predcls", len(self.counts), self.unseen, self.counts)
        return ranks_of(self.annotations, self.pairs, probabilities, recall)


def held_out(photos: RelationSet, fold: Int[Tensor, "photos"]) -> list[PredCls]:
    """The task on each fold after training on the others."""
    parts = [[(fold == k).nonzero()[:, 0].tolist(), (fold != k).nonzero()[:, 0].tolist()] for k in fold.unique()]
    return [PredCls.of(Subset(photos, others), Subset(photos, inside)) for inside, others in parts]


def judge(
    folds: list[PredCls], of_pair: Int[Tensor, "pairs"], said: Float[Tensor, "pairs predicates"]
) -> dict[str, float]:
    """Every metric, in the mean over folds, of what is said of all pairs; `of_pair` is the fold of each."""
    found = [metrics(task.ranks(said[of_pair == k])) for k, task in enumerate(folds)]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def chosen_lift(tried: dict[float, dict[str, float]]) -> float:
    """The lift of highest mR@50 among those that cost at most `COST` of R@50."""
    allowed = [lift for lift, found in tried.items() if found["R@50"] >= tried[0.0]["R@50"] - COST]
    return max(allowed, key=lambda lift: tried[lift]["mR@50"])


@dataclass(frozen=True)
class Surest:
    """The surest predicate of each pair: its probability, and whether it is annotated."""

    said: Float[np.ndarray, "pairs"]
    so: Bool[np.ndarray, "pairs"]


def surest(probabilities: Float[Tensor, "pairs predicates"], pairs: RelationPairs) -> Surest:
    """What a graph with one predicate for each pair would say."""
    said, best = probabilities[:, 1:].max(dim=1)
    return Surest(said.numpy(), pairs.holds[torch.arange(len(best)), best + 1].numpy())


def fit(photos: RelationSet, words: WordVectors, numbers: Numbers) -> tuple[Relater, dict]:
    """A calibrated relater of all training photos, and what its choices rest on."""
    names, predicates = photos.vocabulary.classes, photos.vocabulary.predicates
    pairs = relation_pairs(annotations_of(photos), len(predicates) + 1)
    fitted = cross_fit(pairs, len(photos), words.matrix(names), numbers)
    rare = rarity(pairs.holds)
    folds, of_pair = held_out(photos, fitted.fold), fitted.fold[pairs.photo]
    tried = {lift: judge(folds, of_pair, lifted(fitted.said, lift * rare)) for lift in LIFTS}
    lift = chosen_lift(tried)
    best = surest(lifted(fitted.said, lift * rare), pairs)
    relater = Relater(
        networks=[member.network for member in fitted.members],
        vectors=torch.stack([member.vectors.whole for member in fitted.members]),
        lift=lift * rare,
        names=names,
        predicates=predicates,
        calibration=calibrate(best.said, best.so),
    )
    table = {str(lift): {name: found[name] for name in MEASURES} for lift, found in tried.items()}
    return relater.eval().requires_grad_(False), {"lift": lift, "tried": table, **judged(best, relater.calibration)}


def judged(best: Surest, calibration: Calibration) -> dict:
    """Reliability before and after calibration, and what the threshold keeps."""
    after = calibration(torch.from_numpy(best.said)).numpy()
    diagrams = {"before": reliability(best.said, best.so), "after": reliability(after, best.so)}
    found = {when: dataclasses.asdict(one) | {"error": one.error} for when, one in diagrams.items()}
    return {"reliability": found, "shown": at_threshold(after, best.so, calibration.threshold)}


def frequency_table(train: RelationSet, pairs: RelationPairs) -> Float[Tensor, "pairs predicates"]:
    """What the frequency table of every study says of pairs."""
    table = log_frequencies(predicate_counts(train, *sizes(train)))
    return table[pairs.subjects, pairs.objects].softmax(dim=1)


def measure(relater: Relater, train: RelationSet, test: RelationSet, resamples: int) -> dict:
    """PredCls on test photos beside the frequency table, with paired intervals, and how true probabilities are."""
    task = PredCls.of(train, test)
    pairs = task.pairs
    said = relater.probabilities(pairs.subjects - 1, pairs.objects - 1, pairs.geometry)
    compared = compare(task.ranks(frequency_table(train, pairs)), task.ranks(said), resamples)
    return {
        "photos": len(test),
        "relations_of_a_region_with_itself_left_out": test.alone,
        "metrics": {name: compared[name] for name in MEASURES},
        **judged(surest(said, pairs), relater.calibration),
    }


def table(metrics: dict[str, dict[str, float]]) -> str:
    """The comparison as lines of text, in per cent."""
    lines = [f"{'':12}frequency  names and boxes  difference"]
    for name, cell in metrics.items():
        old, new, low, high = (PER_CENT * cell[part] for part in ("baseline", "system", "low", "high"))
        lines.append(f"{name:12}{old:9.1f}{new:17.1f}  {new - old:+.1f} [{low:+.1f}, {high:+.1f}]")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. ValueError, in one line with the way out, for files that break a rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("train", "test", "objects", "predicates", "words", "out"):
        parser.add_argument(f"--{name}", type=user_path, required=True, metavar="PATH")
    parser.add_argument("--also", type=user_path, metavar="FILE", help="further names to know, one on each line")
    parser.add_argument("--epochs", type=at_least(1), default=Numbers.epochs, metavar="N")
    parser.add_argument("--folds", type=at_least(2), default=Numbers.folds, metavar="N")
    parser.add_argument("--seed", type=at_least(0), default=Numbers.seed, metavar="N")
    parser.add_argument("--resamples", type=at_least(1), default=1000, metavar="N", help="of the bootstrap (1000)")
    options = parser.parse_args(arguments)
    check_writable(options.out)
    vocabulary = read_vocabulary(options.objects, options.predicates)
    also = options.also.read_text(encoding="utf-8").split("\n") if options.also else []
    more = [line.strip() for line in also if line.strip()]
    words = WordVectors.read(options.words, [*vocabulary.classes, *more])
    train, test = (RelationSet.read(path, vocabulary) for path in (options.train, options.test))
    numbers = Numbers(epochs=options.epochs, folds=options.folds, seed=options.seed)
    relater, choices = fit(train, words, numbers)
    results = {"training": dataclasses.asdict(numbers), "choices": choices}
    results["test"] = measure(relater, train, test, options.resamples)
    measured = results["test"]
    facts = {"test": measured["metrics"], "shown": measured["shown"], "reliability": measured["reliability"]}
    save_relater(relater.with_words(words, more), options.out, facts)
    files = {"trained_sha256": digest(options.train), "judged_sha256": digest(options.test)}
    write_text(options.out / SEEN, to_json({"trained": train.names, "judged": test.names, **files}))
    write_text(options.out / RESULTS, to_json(results))
    print(table(measured["metrics"]))
    errors = [measured["reliability"][when]["error"] for when in ("before", "after")]
    print(
        f"expected calibration error {errors[0]:.4f} -> {errors[1]:.4f}; threshold {relater.calibration.threshold:.3f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
