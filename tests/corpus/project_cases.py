"""params.yaml, profiles, `--set`, checkpoints, and what `repro` and `trial` look at before they begin."""

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import kinds
import made
import torch
import warm
import yaml
from harness import Accepted, Case, Outcome
from kinds import MISSING, VALUES, put

from segsg import cli
from segsg.pipeline.trial import SOURCES
from segsg.training.checkpoint import Checkpoint, Progress

ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@contextlib.contextmanager
def inside(project: Path) -> Iterator[None]:
    """Makes `project` the checkout that commands run in. Whatever would train raises `Accepted` instead."""

    def begun(*words: Any, **more: Any) -> None:
        raise Accepted

    from segsg.pipeline import repro, trial

    modules = [
        module for name, module in list(sys.modules.items()) if name.startswith("segsg.") and hasattr(module, "ROOT")
    ]
    stand_ins = [
        *((module, "ROOT", project) for module in modules),
        (repro, "reproduce", begun),
        (trial, "run_study", begun),
        (trial, "try_out", begun),
    ]
    with contextlib.ExitStack() as stack:
        for module, name, value in stand_ins:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def case(name: str, write: Callable[[Path], Any], *words: str, **more: Any) -> Case:
    """A project with a change, and a command in it."""

    def build(folder: Path) -> None:
        shutil.copytree(warm.made_here["project"], folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runs"))
        write(folder)

    def act(folder: Path) -> int:
        with inside(folder):
            return cli.main(list(words))

    return Case(f"pipeline_params/{name}", build, act, **more)


GROUP = f"groups.{warm.GROUP}"
ROW = f"{GROUP}.rows.{warm.KEY}"


def cases() -> Iterator[Case]:
    """All cases of this module."""
    for part in (_params, _profiles, _overrides, _grids, _commands, _checkpoints):
        yield from part()


def _params() -> Iterator[Case]:
    """params.yaml as `segsg repro` reads it."""

    def changed(path: tuple, value: Any) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            file = folder / "params.yaml"
            file.write_text(yaml.safe_dump(put(yaml.safe_load(file.read_text()), path, value), sort_keys=False))

        return write

    yield case("params.yaml/valid", lambda f: None, "repro", expect="right")
    more = {"tabs": kinds.replaced("seed:\t0\n\tdata: 1\n"),
        "a tag": kinds.replaced("!!python/object/apply:os.system ['touch ran']\n"),
        "an unknown tag": kinds.replaced("seed: !mine 3\n"),
            "merge marks": lambda p: p.write_text(f"<<<<<<< HEAD\n{p.read_text()}=======\n>>>>>>> other\n"),
            "aliases without end": kinds.replaced(ALIASES), "a list": kinds.replaced("[1, 2]"),
            "a word": kinds.replaced("hello"), "two documents": kinds.replaced("a: 1\n---\nb: 2\n"),
            "deep": kinds.DEEP_FILE, "Latin": kinds.replaced("a: caf\xe9".encode("latin-1")),
            "an alias of itself": kinds.replaced("a: &a [*a]\n"),
            "UTF-16": lambda p: p.write_bytes(p.read_text().encode("utf-16")),
            "a key twice": lambda p: p.write_text(p.read_text() + "seed: 5\n"),
            "a bad date": kinds.replaced("seed: 2024-99-99\n"),
            "a long number": kinds.replaced("seed: " + "9" * 5000 + "\n"), "unclosed": kinds.replaced("data: {a: 1\n"),
            "a list as a key": kinds.replaced("? [1, 2]\n: 3\n"), "null": kinds.replaced("null\n")}  # fmt: skip
    for name, spoil in (kinds.FILES | more).items():
        yield case(f"params.yaml/{name}", lambda f, s=spoil: s(f / "params.yaml"), "repro", names="params.yaml",
                   expect="either" if name in ("UTF-16", "a key twice") else "clear")  # fmt: skip
    for name, spoil in {"marked": kinds.MARKED, "CRLF": kinds.CRLF}.items():
        yield case(f"params.yaml/{name}", lambda f, s=spoil: s(f / "params.yaml"), "repro", expect="right")
    places = {"profile": ("text",), "seed": ("huge",), "data": (), "data.scene_graphs": (),
        "data.scene_graphs.annotations": (), "data.validation_images": (), "data.short_side": ("truth value",),
              "data.word_vectors": (), "detection.regions": (), "detection.nms_threshold": (), "stage1.iterations": (),
              "stage1.learning_rate": ("fraction", "huge"), "stage1.steps": ("list", "no list"),
              "stage1.flip": ("truth value",), "stage1.optimizer": (), "stage2.clip_norm": ("fraction", "huge"),
              "pretrained": (), "cache_looks": ("truth value",), "network.dropout": (), "network.region_side": (),
              "network.pair_side": (),
              "grounding.kernel": (), "grounding.edges": (), "grounding": (), "evaluation.ks": ("list",),
              "evaluation.iou": (), "evaluation.confidence": (), "evaluation.resamples": (), "detectors": (),
              "groups": (), GROUP: ("missing",), f"{GROUP}.detector": (), f"{GROUP}.rows": (),
              ROW: ("missing",), f"{ROW}.model": (), f"{ROW}.detector": (), "world": ("missing", "null")}  # fmt: skip
    for place, fine in places.items():
        for name, value in ({"missing": MISSING} | VALUES).items():
            yield case(f"params.yaml/{place}/{name}", changed(tuple(place.split(".")), value), "repro",
                names="" if name in ("text", "no text") and "." in place else "params.yaml",
                       expect="either" if name in fine or name == "huge" else "clear", one_of_many=True)  # fmt: skip
    for name, path, value in (("an unknown key", ("sed",), 1), ("a key in a section", ("stage1", "learning_rat"), 0.1),
        ("a hostile key", ("groups", "a; touch ran"), {}),
                              ("a file that is not there", ("data", "word_vectors"), "nowhere.txt")):  # fmt: skip
        yield case(
            f"params.yaml/{name}",
            changed(path, value),
            "repro",
            names="params.yaml" if value != "nowhere.txt" else "nowhere.txt",
        )


def _profiles() -> Iterator[Case]:
    """Files of profiles."""

    def with_profile(content: str | bytes) -> Callable[[Path], Any]:
        return lambda folder: made.write(folder / "profiles/mine.yaml", content)

    valid = (made.ROOT / "profiles/smoke.yaml").read_text()
    yield case(
        "profile/valid",
        with_profile(valid),
        "profile",
        "use",
        "mine",
        expect="right",
        holds=lambda o: "profile: mine" in (o.folder / "params.yaml").read_text(),
    )
    spoilt = {
        "empty": "", "null": "null", "a list": "[1]", "a word": "hello", "tabs": valid.replace("  ", "\t"),
        "a tag": "world: !!python/object/apply:os.system ['touch ran']\n", "merge marks":
        f"<<<<<<< HEAD\n{valid}=======\n>>>>>>> x\n", "aliases without end": ALIASES, "deep": kinds.DEEP,
        "binary": bytes(range(256)), "Latin": b"# caf\xe9\n" + valid.encode(), "two documents": valid + "---\n" + valid,
        "an alias of itself": "world: &a [*a]\n" + valid, "a merge key of no map": "data:\n  <<: 3\n",
        "extends nobody": "extends: nobody\n", "extends itself": "extends: mine\n" + valid,
        "extends a number": "extends: 3\n",
        "extends a path": "extends: ../params\n", "extends a list": "extends: [smoke]\n",
        "extends null": "extends: null\n" + valid, "a section null": valid + "\nnetwork: null\n",
        "an unknown section": valid + "\nnetwrk: {}\n",
        "a section of words": valid.replace("network:", "network: big\nrefinement2:"),
        "numbers for keys": valid + "\n1: 2\n", "an unclosed bracket": valid + "\nx: [1\n",
        "a list for a map": valid.replace("world:", "world: []\nsampling:"),
    }  # fmt: skip
    for name, content in spoilt.items():
        fine = name in ("extends itself", "extends null", "empty", "null")
        yield case(f"profile/{name}", with_profile(content), "profile", "use", "mine",
            names="mine" if name != "extends nobody" else "nobody", expect="either" if fine else "clear",
                   holds=lambda o: not (o.folder / "ran").exists())  # fmt: skip
    for name, word in {
        "nobody": "nobody",
        "a path": "../profiles/smoke",
        "absolute": "/etc/passwd",
        "no name": "",
        "base": "base",
        "NUL": "a\0b",
        "an ending": "smoke.yaml",
    }.items():
        yield case(f"profile/use {name}", lambda f: None, "profile", "use", word, names="profile")
    for name in ("a;b", "a b", "$(touch ran)", "-x", "..", "a'b", "ä", "a\nb", "${x}", "{profile}"):
        yield case(
            f"profile/named {name!r}",
            lambda f, n=name: made.write(f / "profiles" / f"{n}.yaml", valid),
            "profile",
            "use",
            "--",
            name,
            names="",
            expect="clear",
        )
    for name, spoil in kinds.FILES.items():
        yield case(
            f"profiles/base.yaml/{name}",
            lambda f, s=spoil: s(f / "profiles/base.yaml"),
            "profile",
            "use",
            "smoke",
            names="base",
            one_of_many=True,
        )
    yield case(
        "profiles/folder missing", lambda f: shutil.rmtree(f / "profiles"), "profile", "use", "smoke", names="profiles"
    )
    yield case(
        "params.yaml/read-only project",
        lambda f: (f.chmod(0o555), os.getuid() or os.seteuid(65534)),
        "profile",
        "use",
        "smoke",
        names="Permission denied",
    )
    yield case(
        "params.yaml/a folder in its place",
        lambda f: ((f / "params.yaml").unlink(), (f / "params.yaml").mkdir()),
        "profile",
        "use",
        "smoke",
        names="params.yaml",
    )


def _overrides() -> Iterator[Case]:
    """`--set SECTION.KEY=VALUE`."""

    def given(text: str, **more: Any) -> Case:
        key = text.partition("=")[0]
        return case(
            f"--set/{text[:60]!r}",
            lambda f: None,
            "profile",
            "use",
            "smoke",
            f"--set={text}",
            **{"names": key.split(".")[-1]} | more,
        )

    for text in (
        "", "=", "seed", "seed=", "=3", ".seed=3", "seed.=3", "data..short_side=3", "sed=3", "stage1.learning_rat=1",
        "seed=-1", "seed=1.5", "seed=x", "seed=true", "seed=[1]", "seed={}", "seed=nan", "seed=null",
        "stage1=3", "stage1=null", "stage1=[]", "stage1.iterations=-5", "stage1.iterations=1e3",
        "stage1.iterations=1_000x", "stage1.images=0", "stage1.learning_rate=0", "stage1.learning_rate=-1",
        "stage1.learning_rate=.nan", "stage1.learning_rate=.inf", "stage1.learning_rate='0.1'",
        "stage1.weight_decay=-0.1", "stage1.schedule=linear", "stage1.steps=3", "stage1.steps=[5, 3]",
        "stage1.steps=[x]",
        "stage1.clip_norm=0", "stage1.checkpoint_every=0", "stage1.precision=16", "stage1.optimizer=sgd2",
        "stage1.flip=maybe", "stage1.flip=1", "data.short_side=0", "data.short_side=-3", "data.long_side=10",
        "data.validation_images=-1", "data.source=other", "data.scene_graphs=null", "data.word_aliases=[a]",
        "data.word_aliases={a: 1}", "detection.nms_threshold=2", "detection.score_threshold=-0.1",
        "detection.regions=1000000", "detection.detections=0", "detection.box_positive_fraction=1.5",
        "sampling.pairs=0", "sampling.positive_fraction=nan", "network.dropout=5", "network.dropout=1",
        "network.hidden=0",
        "network.region_side=8", "network.pair_side=21",
        "grounding.kernel=4", "grounding.kernel=-1", "grounding.edges=gauss",
        "grounding.channels=-1", "grounding.transfer_threshold=7", "grounding.masks=none", "grounding.refinement=both",
        "refinement.width=0", "evaluation.ks=[]", "evaluation.ks=[50, 20]", "evaluation.ks=[0]", "evaluation.ks=20",
        "evaluation.iou=7", "evaluation.iou=0", "evaluation.confidence=2", "evaluation.confidence=0",
        "evaluation.confidence=1", "evaluation.resamples=0", "evaluation.late_nms=-1", "evaluation.figures=0",
        "world.train=0", "world.side=1", "world.shared=2", "world.side=1000000", "world=3", "cache_looks=2",
        "pretrained=[x]", "pretrained={resnext-tiny-fpn: 3}", "stage2.flip=true", "seed=2024-99-99", "seed=&a [*a]",
        "seed=!!python/object/apply:os.system ['touch ran']", "seed=!mine 3", "seed={a: [", "seed=\t- x",
        "seed=" + "9" * 5000, "seed=" + "[" * 3000, "a.b.c.d=1",
        "data.scene_graphs.annotations.x=1", "seed=99999999999999999999999999", "profile=../../x", "report=a b",
        "stage1.iterations=0x10q",
    ):  # fmt: skip
        either = text in ("seed=99999999999999999999999999", "world.side=1000000")
        yield given(text, expect="either" if either else "clear", names="" if text in ("", "=", "=3", ".seed=3",
            "seed.=3", "data..short_side=3", "a.b.c.d=1", "stage2.flip=true", "data.long_side=10",
                    "data.scene_graphs.annotations.x=1") else text.partition("=")[0].split(".")[0 if "null" in text
                    or text.startswith("pretrained") else -1].split("=")[0])  # fmt: skip
    for text, line in {
        "seed=7": "seed: 7", "stage1.learning_rate=0.01": "learning_rate: 0.01", "evaluation.ks=[10]": "- 10",
        "data.word_vectors=VG #2.txt": "VG #2.txt", "data.word_vectors=a: b.txt": "a: b.txt",
        "data.word_vectors=[x].txt": "[x].txt", "data.word_vectors=*.txt": "*.txt", "data.word_vectors=007": "007",
        "data.word_vectors=caf\xe9 \U0001f600.txt": ".txt", "data.name_pairs=@x": "@x",
    }.items():  # fmt: skip
        yield given(
            text, expect="either", names="", holds=lambda o, t=line: t in (o.folder / "params.yaml").read_text()
        )


def _grids() -> Iterator[Case]:
    """`grid` of a profile."""

    def given(name: str, text: str, **more: Any) -> Case:
        return case(
            f"grid/{name}", lambda f: None, "profile", "use", "smoke", f"--set=grid.{text}", **{"names": ""} | more
        )

    for key in (
        "models",
        "detectors",
        "tasks",
        "methods",
        "seeds",
        "backbones",
        "frequency",
        "rows",
        "ablations",
        "more",
    ):
        for name, value in VALUES.items():
            fine = name == "no list" or (key, name) in {("backbones", "object"), ("frequency", "truth value"),
                ("frequency", "null"), ("frequency", "no text"), ("frequency", "no list"), ("rows", "null"), ("rows",
                "no text"), ("rows", "no list"),
                                   ("ablations", "null"), ("ablations", "no list"), ("ablations", "no text"), ("more",
                                   "null"), ("more", "no list"), ("more", "no text"), ("seeds", "list")}  # fmt: skip
            shown = {"NaN": ".nan", "infinite": ".inf"}.get(name, json.dumps(value))
            yield given(f"{key}/{name}", f"{key}={shown}", expect="either" if fine else "clear", one_of_many=True)
    row = "{model: motifs, detector: fpn, task: predcls, method: baseline}"
    for name, text in {
        "unknown model": "models=[gpt]", "model that is a path": "models=[../x]", "unknown detector": "detectors=[vgg]",
        "unknown task": "tasks=[all]", "unknown method": "methods=[ours]", "negative seed": "seeds=[-1]",
        "seed of a fraction": "seeds=[0.5]", "seed a word": "seeds=[x]", "seed twice": "seeds=[0, 0]",
        "unknown key": "sedes=[1]", "unknown backbone": "backbones={fpn: resnet9000}",
        "backbone null": "backbones={fpn: null}",
        "row null": "rows={a: null}", "row a word": "rows={a: x}", "row a list": "rows=[1]",
        "row without model": "rows={a: {detector: fpn, task: predcls, method: baseline}}",
        "row of more": f"rows={{a: {row[:-1]}, x: 1}}}}",
        "row named with a blank": f"rows={{a b: {row}}}", "row that runs a command": f"rows={{'a; touch ran': {row}}}",
        "row named up": f"rows={{../../x: {row}}}", "row with quotes": f"rows={{\"a'b\": {row}}}",
        "row that is a template": f"rows={{'${{x}}': {row}}}", "row with a line break": f"rows={{\"a\\nb\": {row}}}",
        "row of a number": f"rows={{1: {row}}}",
        "row grounded without masks": "rows={a: {model: motifs, detector: fpn, task: predcls, method: seg-grounded}}",
        "row of an unknown detector": "rows={a: {model: motifs, detector: x, task: predcls, method: baseline}}",
        "row of detector null": "rows={a: {model: motifs, detector: null, task: predcls, method: baseline}}",
        "row of model null": "rows={a: {model: null, detector: fpn, task: predcls, method: baseline}}",
        "row of seed x": "rows={a: {model: motifs, detector: fpn, task: predcls, method: baseline, seed: x}}",
        "row of grounding x": "rows={a: {model: motifs, detector: fpn-joint, task: predcls, "
        "method: seg-grounded, grounding: x}}", "ablation null": "ablations=[null]", "ablation a word": "ablations=[x]",
        "ablation without model": "ablations=[{detector: fpn, task: sgcls, changes: {a: {edges: none}}}]",
        "ablation without changes": "ablations=[{model: motifs, detector: fpn, task: sgcls}]",
        "ablation of changes null": "ablations=[{model: motifs, detector: fpn, task: sgcls, changes: null}]",
        "ablation of a change null": "ablations=[{model: motifs, detector: fpn, task: sgcls, changes: {a: null}}]",
        "ablation of an unknown key": "ablations=[{model: motifs, detector: fpn, task: sgcls, "
        "changes: {a: {edgs: none}}}]",
        "ablation of a wrong value": "ablations=[{model: motifs, detector: fpn, task: sgcls, "
        "changes: {a: {kernel: 4}}}]",
        "ablation named up": "ablations=[{model: motifs, detector: fpn, task: sgcls, changes: {../a: {edges: none}}}]",
        "more null": "more=[null]", "more a word": "more=[x]", "more of an unknown key": "more=[{sedes: [1]}]",
        "more of seeds null": "more=[{seeds: null}]",
        "disjoint of no joint": "detectors=[fpn-disjoint]", "no row": "models=[]",
    }.items():  # fmt: skip
        fine = name in ("seed twice", "row of a number", "no row", "more of seeds null", "ablation of a change null")
        yield given(name, text, expect="either" if fine else "clear")


def _commands() -> Iterator[Case]:
    """What `repro`, `check` and `trial` look at first."""
    for value in ("0", "-1", "x", "1.5"):
        yield case(f"repro/--jobs {value}", lambda f: None, "repro", "--jobs", value, names="jobs")
    yield case(
        "repro/word vectors missing",
        lambda f: (f / "data/facts/glove.6B.50d.world.txt").unlink(),
        "repro",
        names="glove.6B.50d.world.txt",
    )
    arguments = ("--graphs", "graphs", "--masks", "coco", "--word-vectors", "vectors.txt")

    def own(folder: Path) -> None:
        made.study_files(folder)
        shutil.copytree(folder / "masks", folder / "coco")
        (folder / "coco/annotations").mkdir()
        (folder / "coco/instances.json").rename(folder / "coco/annotations/instances_val2017.json")
        (folder / "coco/photos").rename(folder / "coco/images")
        for name in SOURCES:
            if (made.ROOT / name).is_dir():
                (folder / name).mkdir(parents=True, exist_ok=True)
            elif not (folder / name).exists():
                made.write(folder / name, "")

    def trial(name: str, change: Callable[[Path], Any], *more: str, **options: Any) -> Case:
        return case(f"trial/{name}", lambda f: (own(f), change(f)), "trial", *arguments, *more, **options)

    yield trial("valid", lambda f: None, "--images", "1", expect="right")
    for name, path in {"scene graphs": "graphs", "VG-SGG.h5": "graphs/VG-SGG.h5",
        "image_data.json": "graphs/image_data.json", "VG_100K": "graphs/VG_100K", "masks": "coco",
        "instances": "coco/annotations",
                       "word vectors": "vectors.txt"}.items():  # fmt: skip
        yield trial(
            f"{name} missing",
            lambda f, p=path: (f / p).rename(f / "gone"),
            names=path.split("/")[-1] if "/" in path and name != "instances" else path.split("/")[0],
        )
    for value in ("0", "-3", "x", "1.5"):
        yield trial(f"--images {value}", lambda f: None, "--images", value, names="--images")
    for name, file in {
        "VG-SGG.h5": "graphs/VG-SGG.h5",
        "instances_val2017.json": "coco/annotations/instances_val2017.json",
    }.items():
        for kind in ("empty", "a page", "binary", "cut"):
            yield trial(f"{name}/{kind}", lambda f, k=kind, p=file: kinds.FILES[k](f / p), "--images", "1", names=name)
    coco = "coco/annotations/instances_val2017.json"
    for name, content in {"annotations null": made.COCO | {"annotations": None},
        "an annotation null": made.COCO | {"annotations": [None]}, "images of words": made.COCO | {"images": ["x"]},
        "ids that are lists":
                          put(made.COCO, ("images", 0, "id"), [1]), "image ids that are lists": put(made.COCO,
                          ("annotations", 0, "image_id"), [5])}.items():  # fmt: skip
        yield trial(
            f"instances_val2017.json/{name}",
            lambda f, c=content: made.write(f / coco, c),
            "--images",
            "1",
            names="instances_val2017.json",
        )
    yield trial(
        "a folder with a hash mark",
        lambda f: (f / "graphs").rename(f / "VG #2"),
        "--graphs",
        "VG #2",
        "--images",
        "1",
        expect="right",
    )
    yield trial("--set of nothing", lambda f: None, "--set", "seed", names="seed", expect="either")


class _Command:
    def __reduce__(self):
        return os.system, ("touch ran",)


def _checkpoints() -> Iterator[Case]:
    """last.pt of an unfinished training: never resumed unless it is whole and of this very run."""

    def network() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2)
        return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def act(folder: Path) -> tuple:
        model, optimizer = network()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        progress = Checkpoint(folder, "mine").load(model, optimizer)
        return progress.step, all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

    def spoilt(name: str, change: Callable[[Path], Any], resumes: bool = False) -> Case:
        def build(folder: Path) -> None:
            model, optimizer = network()
            model.weight.data += 1
            Checkpoint(folder, "mine").save(Progress([{"step": 0, "loss": 1.0}]), model, optimizer)
            change(folder / "last.pt")

        def holds(outcome: Outcome) -> bool:
            step, untouched = outcome.value
            assert not (outcome.folder / "ran").exists()
            return (step, untouched) == ((1, False) if resumes else (0, True)) and (
                resumes or "starts from its first step" in outcome.out + outcome.err
            )

        return Case(f"pipeline_params/last.pt/{name}", build, act, expect="right", holds=holds)

    def pickled(content: Any) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            file = io.BytesIO()
            torch.save(content, file)
            path.write_bytes(file.getvalue())

        return write

    yield spoilt("whole", lambda path: None, resumes=True)
    for share in (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
        yield spoilt(f"flipped at {share}", kinds.flipped(share))
        yield spoilt(
            f"cut at {share}",
            lambda path, s=share: path.write_bytes(path.read_bytes()[: int(s * (path.stat().st_size - 1))]),
        )
    for name, change in {
        "empty": kinds.FILES["empty"], "zeros": kinds.FILES["zeros"], "a page": kinds.FILES["a page"],
        "more bytes": lambda p: p.write_bytes(p.read_bytes() + b"x"), "a command": pickled(_Command()),
        "of another program": pickled({"epoch": 3}), "a list": pickled([1]),
    }.items():  # fmt: skip
        yield spoilt(name, change)

    def of_another_run(path: Path) -> None:
        model, optimizer = network()
        Checkpoint(path.parent, "another").save(Progress(), model, optimizer)

    yield spoilt("of another run", of_another_run)
