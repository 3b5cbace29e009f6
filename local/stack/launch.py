"""`python -m local.stack.launch NAME`: become a program of the home, with the environment it has now.

The supervisor keeps command lines; passwords and ports stay in the home's private state file.
"""

from __future__ import annotations

import sys

from local.stack.programs import launch

if __name__ == "__main__":
    launch(sys.argv[1])
