"""Everything needed to run the project on one machine without an AWS account."""

import sys
from pathlib import Path

# Where Airflow finds the package. `seed` and `verify` share its rule of what a source file is; all commands, how text
# is shown.
sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))
