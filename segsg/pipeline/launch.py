"""Train on every GPU that this stage may use: one process for each, or a plain call where there is at most one.

A notebook is one process, so several GPUs need processes of their own. `CUDA_VISIBLE_DEVICES` says which may be used;
`segsg repro --jobs N` sets it for each of N stages side by side.
"""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from segsg.study.params import Params, load

Train = Callable[[Params, str, Path], None]
"""a public function of a module: (parameters, key of the row, folder of the result)"""


def on_every_gpu(train: Train, params: Params, key: str, out: Path) -> None:
    """Call `train`, in as many processes as there are GPUs. Several read the parameters from params.yaml again.

    CalledProcessError if one of several processes fails; what it said stands above.
    """
    gpus = torch.cuda.device_count()
    if gpus <= 1:
        return train(params, key, out)
    processes = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"]
    command = ["-m", __name__, train.__module__, train.__name__, key, str(out)]
    subprocess.run(processes + command, check=True)


def main(arguments: list[str] | None = None) -> None:
    """What each of several processes runs: the function of a module, with the parameters of params.yaml."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("module", "function", "key", "out"):
        parser.add_argument(name)
    options = parser.parse_args(arguments)
    train: Train = getattr(importlib.import_module(options.module), options.function)
    train(load(), options.key, Path(options.out))


if __name__ == "__main__":
    main()
