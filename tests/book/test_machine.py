"""The machine's description, and processes that end with their parent."""

import os
import signal
import subprocess
import sys

import psutil

from exprml.book import machine

CHILD = (
    "import os, sys, time; from exprml_press.processes import leave_with_parent; "
    "leave_with_parent(os.getppid(), lambda: open(sys.argv[1], 'w').write('cleaned')); "
    "print(os.getpid(), flush=True); time.sleep(60)"
)
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"


def test_a_process_cleans_up_and_leaves_when_its_parent_is_killed(tmp_path):
    note = tmp_path / "note"
    command = [sys.executable, "-c", PARENT, CHILD, str(note)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    child.wait(timeout=20)
    assert note.read_text() == "cleaned"


def test_machine_and_versions_are_named():
    assert machine.cores() >= 1
    assert {"processor", "cores", "memory", "system"} <= set(machine.hardware())
    assert {"python", "numpy", "torch", "exprml"} <= set(machine.versions())
