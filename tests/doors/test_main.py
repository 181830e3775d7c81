"""What all commands share: help, JSON, exit codes, sentences."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import crossaisle
from crossaisle.cli import COMMANDS, main
from crossaisle.cli import doctor as doctor_module

from .conftest import Cli


def test_help_names_every_command_and_has_an_example(cli: Cli) -> None:
    said = cli("--help")
    assert said.code == 0
    assert all(name in said.out for name in COMMANDS)
    assert "Example: crossaisle" in said.out


@pytest.mark.parametrize("words", [*([c] for c in COMMANDS), ["bench", "demo"]], ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(cli: Cli, words: list[str]) -> None:
    said = cli(*words, "--help")
    assert said.code == 0
    example = " ".join(said.out.split("Example: ", 1)[1].split())
    assert example.startswith(" ".join(["crossaisle", *words]))
    assert " ".join(words) == "bench" or "--json" in said.out


def test_one_version(cli: Cli) -> None:
    assert crossaisle.__version__ == version("crossaisle")
    assert cli("--version").out.strip() == crossaisle.__version__


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tranfer"], "Did you mean"),
        (["demo", "--wekes", "1"], "--weeks"),
        (["demo", "--weeks", "soon"], "'soon'|\"soon\""),
        (["transfer", "shop"], "--target|--out"),
        (["validate"], "PATH"),
        (["recommend", "runs/demo", "--user"], "--user"),
    ],
)
def test_wrong_words_end_with_2_and_one_sentence(cli: Cli, words: list[str], sentence: str) -> None:
    said = cli(*words)
    assert said.code == 2
    assert said.out == ""
    assert any(part in said.err for part in sentence.split("|"))
    assert "Traceback" not in said.err
    assert "--help` lists what is allowed" in said.err


def test_a_mistake_is_json_too(cli: Cli) -> None:
    said = cli("methods", "blendd", "--json")
    assert said.code == 2
    assert said.json["error"]["kind"] == "MethodError"
    assert "unknown method 'blendd'" in said.json["error"]["message"]


def test_a_fault_of_ours_says_so_and_shows_the_trace_on_demand(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("gears")

    monkeypatch.setattr(doctor_module, "examine", broken)
    said = cli("doctor")
    assert said.code == 1
    assert "unexpected RuntimeError: gears" in said.err
    assert "report it" in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in cli("doctor", "--debug").err


def test_interrupted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor_module, "examine", interrupted)
    said = cli("doctor")
    assert said.code == 130
    assert "run the same command again" in said.err


def test_a_path_that_cannot_be_written_is_the_users_to_mend(cli: Cli, shop: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    said = cli("transfer", shop, "--target", "cake", "--method", "popularity", "--out", blocked / "inside")
    assert said.code == 2
    assert "inside" in said.err
    assert "Traceback" not in said.err


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from crossaisle.cli import main; main(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('torch', 'polars', 'scipy', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    command = f"{sys.executable} -c 'from crossaisle.cli import main; raise SystemExit(main([\"--help\"]))' | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "Usage: crossaisle COMMAND\n"
    assert done.stderr == ""


def test_without_the_script_python_runs_it() -> None:
    for words, code in ((["--version"], 0), (["bench", "nothing"], 2)):
        done = subprocess.run([sys.executable, "-m", "crossaisle", *words], capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert (done.stdout == f"{version('crossaisle')}\n") == (code == 0)


def test_results_are_plain_where_nobody_looks(cli: Cli) -> None:
    assert "\x1b" not in cli("methods").out


def test_main_takes_the_words_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["crossaisle", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.strip() == crossaisle.__version__
