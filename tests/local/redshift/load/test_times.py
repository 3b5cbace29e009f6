from __future__ import annotations

import pytest

from local.redshift.load import times


@pytest.mark.parametrize(
    ("text", "time_format", "zoned", "moment"),
    [
        ("2018-11-01 21:01:46", times.TIMESTAMP, False, "2018-11-01T21:01:46+00:00"),
        ("2018-11-01 21:01:46.7", times.TIMESTAMP, False, "2018-11-01T21:01:46.700000+00:00"),
        ("2018-11-01 21:01:46-07", times.TIMESTAMP, True, "2018-11-02T04:01:46+00:00"),
        ("2018-11-01 21:01:46+05:30", times.TIMESTAMP, True, "2018-11-01T15:31:46+00:00"),
        ("2018-11-01T21:01:46.796Z", "auto", False, "2018-11-01T21:01:46.796000+00:00"),
        ("2018-11-01", "auto", False, "2018-11-01T00:00:00+00:00"),
        ("31.12.2018 23:59", "DD.MM.YYYY HH24:MI", False, "2018-12-31T23:59:00+00:00"),
        ("12/31/2018", "MM/DD/YYYY", False, "2018-12-31T00:00:00+00:00"),
        ("1541105830", "epochsecs", False, "2018-11-01T20:57:10+00:00"),
        ("1541105830796", "epochmillisecs", False, "2018-11-01T20:57:10.796000+00:00"),
        ("-1", "epochmillisecs", False, "1969-12-31T23:59:59.999000+00:00"),
    ],
)
def test_a_time_is_read_as(text: str, time_format: str, zoned: bool, moment: str) -> None:
    assert times.read(text, time_format, zoned).isoformat() == moment


@pytest.mark.parametrize(
    ("text", "time_format", "zoned"),
    [
        ("2018-11-01T21:01:46", times.TIMESTAMP, False),
        ("2018-11-01 21:01:46+01", times.TIMESTAMP, False),
        ("2018-11-01", times.TIMESTAMP, False),
        ("2018-11-01 21:01:46+01", "auto", False),
        ("2018-11-31 00:00:00", times.TIMESTAMP, False),
        ("2018-11-01 24:00:00", times.TIMESTAMP, False),
        ("２018-11-01 00:00:00", times.TIMESTAMP, False),
        ("1541105830.5", "epochsecs", False),
        ("1_541_105_830", "epochsecs", False),
        ("1e999999999", "epochsecs", False),
        ("999999999999999999", "epochsecs", False),
        ("0001-01-01 00:00:00+01", times.TIMESTAMP, True),
    ],
)
def test_what_is_no_time_for_certain_is_refused(text: str, time_format: str, zoned: bool) -> None:
    with pytest.raises((ValueError, OverflowError)):
        times.read(text, time_format, zoned)
