"""The tests, in whose own processes no variable of the user's shell leads libpq and boto3 elsewhere."""

import os
import re

for name in list(os.environ):
    if re.fullmatch(r"PG[A-Z]+|AWS_\w+", name):
        del os.environ[name]
# A proxy is for what is elsewhere.
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))
