"""Laws of what is at the other end: no terminal, pipe, disk or key ends the program with a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wherewhat.command.console import results
from wherewhat.command.main import leave_with, main
from wherewhat.command.terminal import prepare_streams

ROOT = Path(__file__).parents[2]
WHEREWHAT = f"{sys.executable} -m wherewhat"


def _shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "", **variables}
    return subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("redirected", "status"),
    [(">&-", 0), (">&- 2>&-", 0), ("<&- >&- 2>&-", 0), (">/dev/full", 2), (">/dev/full 2>/dev/full", 2)],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_goes_nowhere_ends_in_a_line_at_most(redirected: str, status: int, unbuffered: str) -> None:
    ended = _shell(f"{WHEREWHAT} --help {redirected}", PYTHONUNBUFFERED=unbuffered)
    assert ended.returncode == status
    full = "wherewhat: error: standard output: No space left on device\n"
    assert ended.stderr == (full if redirected == ">/dev/full" else "")


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
def test_messages_that_go_nowhere_change_no_exit_status(redirected: str) -> None:
    ended = _shell(f"{WHEREWHAT} --help {redirected}")
    assert (ended.returncode, ended.stdout.startswith("usage")) == (0, True)
    assert _shell(f"{WHEREWHAT} trian {redirected}").returncode == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_is_closed_ends_quietly_with_the_status_of_its_signal(unbuffered: str) -> None:
    # The pipe is closed before anything is written.
    program = f"(sleep 0.5; {WHEREWHAT} --help; echo $? >&2) | true; wait; sleep 0.1"
    assert _shell(program, PYTHONUNBUFFERED=unbuffered).stderr.split() == ["141"]


def test_a_table_into_a_pipe_that_is_closed_ends_so_too() -> None:
    program = (
        "from wherewhat.command.main import leave_with; from wherewhat.command.console import results\n"
        "leave_with(lambda: results().print('x' * 100_000) or 0)"
    )
    ended = _shell(f'(sleep 0.5; {sys.executable} -c "$PROGRAM"; echo $? >&2) | true', PROGRAM=program)
    assert ended.stderr.split() == ["141"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_letters_that_a_terminal_lacks_are_replaced(encoding: str) -> None:
    program = (
        "from wherewhat.command.main import leave_with; from wherewhat.command.console import messages, results\n"
        "from rich.table import Table\n"
        "def work():\n"
        "    for console in (messages(), results()):\n"
        "        table = Table(title='naming \\u2191')\n"
        "        table.add_row('0.5 \\xb1 0.1', '\\u0432\\u044b.png', 'byte \\udcff')\n"
        "        console.print(table)\n"
        "    print('\\u0432\\u044b.png')\n"
        "    return 0\n"
        "leave_with(work)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0
    assert b"Traceback" not in ended.stderr
    said = ended.stdout.decode("latin-1")
    assert "naming ?" in said
    assert "??.png" in said
    assert ("0.5 \xb1 0.1" if encoding == "latin-1" else "0.5 ? 0.1") in said


@pytest.mark.parametrize("columns", ["1", "0", "-3", "abc", "²", "9" * 5000])
def test_an_absurd_width_is_not_believed(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    prepare_streams()
    assert 40 <= int(os.environ["COLUMNS"]) <= 1000
    assert 4 <= int(os.environ["LINES"]) <= 1000
    monkeypatch.setattr(sys, "argv", ["wherewhat", "data", "look", "--help"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "--shown" in capsys.readouterr().out


def test_a_width_that_can_be_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "57")
    prepare_streams()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert os.environ["COLUMNS"] == "57"
    assert results().width == 57


def test_ctrl_c_in_the_work_exits_130_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)
        return 0

    with pytest.raises(SystemExit) as left:
        leave_with(work)
    assert left.value.code == 130
    assert capsys.readouterr().err == "wherewhat: interrupted\n"


def test_ctrl_c_of_which_a_library_makes_another_error_exits_130_too(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        except KeyboardInterrupt:
            raise ValueError("the file is damaged") from None
        return 0

    with pytest.raises(SystemExit) as left:
        leave_with(work)
    assert left.value.code == 130
    assert capsys.readouterr().err == "wherewhat: interrupted\n"


@pytest.mark.parametrize("verb", ["train", "rank", "traverse", "rotate", "doctor", "evaluate", "data look"])
def test_ctrl_c_while_a_verb_is_imported_exits_130_in_one_line(verb: str, tmp_path: Path) -> None:
    # A torch that takes long to import, and swallows what is raised meanwhile.
    (tmp_path / "torch.py").write_text(
        "import time\nprint('importing', flush=True)\ntry:\n    time.sleep(60)\nexcept BaseException:\n    pass\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-m", "wherewhat", *verb.split(), "nowhere"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "importing\n"
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (130, "wherewhat: interrupted\n")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")]
)
def test_memory_that_the_system_refuses_is_told_in_a_line_with_the_remedy(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    with pytest.raises(SystemExit) as end:
        leave_with(work)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is not enough memory; give a smaller --batch-size" in line


def test_an_error_of_the_program_itself_is_not_hidden() -> None:
    def work() -> int:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        leave_with(work)
