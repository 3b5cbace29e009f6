"""Everything needed to run the project on one machine without an AWS account."""

import sys
from pathlib import Path

# Where Airflow finds the package. What is a source file is the package's rule, and that of `seed` and `verify`.
sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))
