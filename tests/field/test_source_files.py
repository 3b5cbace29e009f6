"""`seed`, the load and `verify` agree on what a source file is."""

from __future__ import annotations

import pytest

from tests.field.cases import Case, tried
from tests.field.conftest import EQUAL, Ground


@pytest.mark.parametrize("case", tried(9))
def test_a_gzipped_song_is_loaded_and_found_equal(case: Case, ground: Ground) -> None:
    ground.seed(case.delivery())
    for log_date in case.log_dates():
        ground.pipeline.run(log_date)
    assert ground.pipeline.rows("select count(*) from songs") != [(0,)]
    code, said = ground.verify(case.delivery())
    assert (code, said.splitlines()[-1]) == (0, EQUAL)


@pytest.mark.parametrize("case", tried(10))
def test_hidden_files_are_none(case: Case, ground: Ground) -> None:
    hidden = {key for key in case.files() if any(name[0] in "._#" for name in key.split("/"))}
    assert hidden
    assert ground.seed(case.delivery()) == case.files().keys() - hidden
    # What another program uploads, folders made in S3's console among it, is no file either.
    ground.pipeline.put({key: data for key, data in case.files().items() if key in hidden})
    ground.pipeline.put({"song_data/A/": b"", "log_data/": b"", "song_data/_SUCCESS": b""})
    for log_date in case.log_dates():
        ground.pipeline.run(log_date)
    staged = {name for (name,) in ground.pipeline.rows("select file_name from staged_files")}
    assert staged == {key for key in case.files().keys() - hidden if key.startswith("song_data/")}
    code, said = ground.verify(case.delivery())
    assert (code, said.splitlines()[-1]) == (0, EQUAL)
