"""A run that is told to stop stops, and takes nothing down as a contestant's failure."""

import signal
import subprocess
import sys
from pathlib import Path

SWALLOWS = """
import os, signal
from benchmarks import interrupt
interrupt.listen()
try:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 5)
    except KeyboardInterrupt:
        raise RuntimeError("as a library in C++ tells it") from None
except RuntimeError:
    interrupt.check()
print("went on")
"""


def test_an_interrupt_that_a_library_swallowed_still_stops_us() -> None:
    argv, root = [sys.executable, "-c", SWALLOWS], Path(__file__).parents[2]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, cwd=root)
    assert "went on" not in done.stdout
    assert done.returncode in (130, -signal.SIGINT), done.stderr
