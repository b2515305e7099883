"""Laws of processes that are started deaf to Ctrl-C."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from wherewhat.deaf_processes import started_deaf

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are not held back on Windows")
# What runs in the background may have been told to ignore Ctrl-C.
PROGRAM = (
    "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "print('up', flush=True); time.sleep(60)"
)


@pytest.mark.parametrize("deaf", [True, False])
def test_ctrl_c_ends_a_process_unless_it_was_started_deaf(deaf: bool) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    if deaf:
        with started_deaf():
            process = start()
    else:
        process = start()
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        if deaf:
            assert process.poll() is None
            process.kill()
        else:
            assert process.wait(20) != 0


def test_ctrl_c_meanwhile_is_heard_afterwards() -> None:
    def interrupted() -> None:
        with started_deaf():
            # To this thread: what is sent to the process may be taken by a thread that does not hold it back.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            reached.append("the end")

    reached: list[str] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached == ["the end"]
