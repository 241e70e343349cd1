"""Training networks of names and boxes, each without a part of the photos, which then judge what it learned.

Every photo is held out once, so all choices rest on all training photos; together the networks have seen all of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from segsg.models.names_and_boxes import PairNetwork
from segsg.photos.relation_pairs import RelationPairs
from segsg.training.loop import adamw, cosine, warm


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Sizes and lengths of the training of one network."""

    folds: int = 4
    """parts of the photos, and networks"""
    epochs: int = 16
    batch: int = 512
    """pairs in a step"""
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    warmup: int = 50
    """steps"""
    hidden: int = 256
    dropout: float = 0.4
    forgotten: float = 0.2
    """how often a known name is judged by its word vector alone, so that words never seen are in good company"""
    thinned: int = 3
    """of so many pairs without relation an epoch draws one, which counts for all of them"""
    seed: int = 0


class NameVectors(nn.Module):
    """Word vectors of names and what training adds to each; the addition is forgotten at random in training."""

    def __init__(self, words: Float[Tensor, "names words"], forgotten: float):
        super().__init__()
        self.register_buffer("words", words)
        self.added, self.forgotten = nn.Parameter(torch.zeros_like(words)), forgotten

    def forward(self, labels: Int[Tensor, "pairs"]) -> Float[Tensor, "pairs words"]:
        added = self.added[labels - 1]
        if self.training:
            added = added * (torch.rand(len(labels), 1) >= self.forgotten)
        return self.words[labels - 1] + added

    @property
    def whole(self) -> Float[Tensor, "names words"]:
        """The vector of each name after training."""
        return (self.words + self.added).detach()


class Trained(nn.Module):
    """A network and its vectors of names: logits of pairs whose labels count from 1."""

    def __init__(self, network: PairNetwork, vectors: NameVectors):
        super().__init__()
        self.network, self.vectors = network, vectors

    def forward(self, pairs: RelationPairs, rows: Int[Tensor, "rows"]) -> Float[Tensor, "rows predicates"]:
        """Logits of some of the pairs."""
        names = self.vectors(pairs.subjects[rows]), self.vectors(pairs.objects[rows])
        return self.network(*names, pairs.geometry[rows])


def train(
    pairs: RelationPairs, among: Bool[Tensor, "pairs"], words: Float[Tensor, "names words"], numbers: Numbers, seed: int
) -> Trained:
    """A network trained on the pairs `among` all. ValueError if none of them has a relation.

    The loss is cross-entropy; annotated predicates of a pair are equally likely.
    """
    related = (among & ~pairs.holds[:, 0]).nonzero()[:, 0]
    unrelated = (among & pairs.holds[:, 0]).nonzero()[:, 0]
    if not len(related):
        raise ValueError("no pair of the training photos has a relation; give more photos, or fewer folds")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PairNetwork(
            words=words.shape[1], hidden=numbers.hidden, predicates=pairs.holds.shape[1], dropout=numbers.dropout
        )
        model = Trained(network, NameVectors(words, numbers.forgotten)).train()
        drawn = len(unrelated) // numbers.thinned
        steps = numbers.epochs * math.ceil((len(related) + drawn) / numbers.batch)
        optimizer = adamw(model, numbers.learning_rate, numbers.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warm(cosine(steps), numbers.warmup))
        weights = torch.where(pairs.holds[:, 0], len(unrelated) / max(drawn, 1), 1.0)
        for _ in range(numbers.epochs):
            epoch = torch.cat([related, unrelated[torch.randperm(len(unrelated))[:drawn]]])
            for rows in epoch[torch.randperm(len(epoch))].split(numbers.batch):
                losses = -(pairs.holds[rows] * model(pairs, rows).log_softmax(dim=1)).sum(dim=1)
                losses = losses / pairs.holds[rows].sum(dim=1)
                loss = (losses * weights[rows]).sum() / weights[rows].sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return model.eval().requires_grad_(False)


@dataclass(frozen=True)
class CrossFit:
    """Networks, the fold of each photo (network k never saw fold k), and what they say of the pairs held out."""

    members: list[Trained]
    fold: Int[Tensor, "photos"]
    said: Float[Tensor, "pairs predicates"]


def folds_of(photos: int, numbers: Numbers) -> Int[Tensor, "photos"]:
    """A fold for each photo at random, all of a size or one apart. ValueError for fewer photos than folds."""
    if not 2 <= numbers.folds <= photos:
        raise ValueError(f"{numbers.folds} folds of {photos} photos; there must be at least two, each with a photo")
    order = torch.randperm(photos, generator=torch.Generator().manual_seed(numbers.seed))
    return torch.arange(photos)[order.argsort()] % numbers.folds


def cross_fit(
    pairs: RelationPairs,
    photos: int,
    words: Float[Tensor, "names words"],
    numbers: Numbers,
    tell: Callable[[str], None] = print,
) -> CrossFit:
    """A network for each fold, trained on the others. `tell` hears of each."""
    fold = folds_of(photos, numbers)
    of_pair = fold[pairs.photo]
    said, members = torch.zeros(pairs.holds.shape), []
    for k in range(numbers.folds):
        model = train(pairs, of_pair != k, words, numbers, numbers.seed + k)
        rows = (of_pair == k).nonzero()[:, 0]
        said[rows] = model(pairs, rows).softmax(dim=1)
        members.append(model)
        tell(f"network {k + 1} of {numbers.folds}: trained on {int((fold != k).sum())} photos")
    return CrossFit(members, fold, said)
