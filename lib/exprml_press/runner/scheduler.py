"""Snakemake, as a process that does not outlive the build that started it: ``PID OPTION ...``."""

import sys

from exprml_press.processes import leave_with_parent, spare_slow_imports

if __name__ == "__main__":
    spare_slow_imports()
    from snakemake.cli import main

    leave_with_parent(int(sys.argv[1]), lambda: None)
    main(sys.argv[2:])
