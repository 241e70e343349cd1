"""What a command says that Ctrl-C or `kill` stops: only what can go on from there may promise it."""

import signal
import subprocess
import sys

import pytest

from segsg import cli
from segsg.photos import predict
from segsg.pipeline import repro
from segsg.tools import compare, evaluate, transfer

GOES_ON = "The same command goes on from here."
AGAIN = "Stopped. Run the same command again for a whole result.\n"
COMMANDS = {
    "evaluate": (evaluate, "evaluate", "--truth t.jsonl --predictions p.jsonl --task sgdet"),
    "compare": (compare, "compare", "a b --out c"),
    "transfer": (transfer, "_name_pairs", "--classes names.txt --out t"),
    "predict": (predict, "find", "photo.jpg --out graphs"),
    "bundle": (predict, "load", "--out bundle"),
}
"""command -> module and name of a function in the midst of its work, and the words behind it"""


@pytest.fixture
def interrupted(monkeypatch, tmp_path, capsys):
    """Runs a command whose function `name` gets a real Ctrl-C; returns exit code and errors."""
    monkeypatch.chdir(tmp_path)

    def run(command, module, name, words):
        def stop(*_, **__):
            signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(module, name, stop)
        code = cli.main([command, *words.split()])
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_what_begins_anew_does_not_promise_to_go_on(interrupted, command):
    assert interrupted(command, *COMMANDS[command]) == (130, AGAIN)


def test_a_study_goes_on(interrupted):
    assert interrupted("repro", repro, "run_repro", "") == (130, f"Stopped. {GOES_ON}\n")


def test_no_other_command_promises_to_go_on():
    top = cli.parser()
    lines = ([*name.split(), *examples[0].split()] for name, examples in cli.EXAMPLES.items())
    promises = {" ".join(words) for words in lines if top.parse_args(words).stopped == GOES_ON}
    assert promises == {"repro --jobs 2"}


HANGS = """
import sys, time
from segsg import cli
from segsg.tools import transfer

def hang(options):
    print("in the midst", flush=True)
    time.sleep(600)

transfer._name_pairs = hang
sys.exit(cli.main(["transfer", "--classes", "names.txt"]))
"""


def test_a_command_that_kill_ends_promises_nothing(tmp_path):
    command = subprocess.Popen(
        [sys.executable, "-c", HANGS], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with command:
        try:
            assert command.stdout.readline() == "in the midst\n"
            command.terminate()
            _, said = command.communicate(timeout=60)
        finally:
            command.kill()
    assert command.returncode == -signal.SIGTERM
    assert "goes on" not in said
