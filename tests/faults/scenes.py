"""What the faults happen to: a date loaded, and then delivered again, with all that this makes the tasks do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.reference import Tables, read_log_files, read_song_files, star_schema
from tests.examples import AT, DAY, MINUTE, NOV_1, NOV_2, Example, Raw, event, play, song
from tests.pipeline import Pipeline

FIRST, SECOND = NOV_1, NOV_2
# In both dates' files, with other content: the first date's wins, as long as it delivers it.
SHARED = {"sessionId": 5, "itemInSession": 3, "ts": AT + DAY - MINUTE}

BEFORE = (
    play(),
    play(sessionId=2, userId="8", ts=AT + MINUTE, level="paid"),
    play(sessionId=3, userId="9", ts=AT + 2 * MINUTE, song="Gone with the next file"),
    play(**SHARED, level="paid"),
    event(sessionId=2, userId="8", itemInSession=1, ts=AT + 3 * MINUTE, level="paid"),
)
# User 9 and two plays are gone, user 8's level is another, user 10 and a play of the new song have come.
AFTER = (
    play(),
    event(sessionId=2, userId="8", itemInSession=1, ts=AT + 3 * MINUTE, level="free"),
    play(sessionId=4, userId="10", ts=AT + 4 * MINUTE, artist="Sigur Rós", song="Hoppípolla", length=268.12036),
)
# Delivered while the load of AFTER lies there half done.
ANOTHER = (
    play(sessionId=6, userId="11", ts=AT + 5 * MINUTE),
    play(sessionId=2, userId="8", ts=AT + MINUTE, level="free"),
    play(**SHARED, level="free"),
)
NEXT_DATE = (play(**SHARED), play(sessionId=7, userId="8", ts=AT + DAY, level="free"), event(userId="9", ts=AT + DAY))
SONGS_BEFORE = (song("SO1"), song("SO2", title="Gone", artist_id="AR2", artist_name="Nobody"))
# One song changed and one came; the catalogue is copied again.
SONGS_AFTER = (
    song("SO1", year=2001),
    song("SO0", title="Hoppípolla", artist_id="AR3", artist_name="Sigur Rós", duration=268.12036),
)


def files(events: Sequence[Raw], songs: Sequence[Raw]) -> Mapping[str, bytes]:
    """The source: the first date's file with these events, the second date's, and the catalogue."""
    return Example("", {FIRST: events, SECOND: NEXT_DATE}, {}, songs).files()


def expected(events: Sequence[Raw], songs: Sequence[Raw] = SONGS_AFTER) -> Tables:
    """What the warehouse must hold of them."""
    source = files(events, songs)
    return star_schema(read_log_files(source), read_song_files(source))


def deliver(pipeline: Pipeline, events: Sequence[Raw]) -> None:
    """Put these events of the first date, and the new catalogue, in place of what was there."""
    source = files(events, SONGS_AFTER)
    for item in pipeline.s3.list_objects_v2(Bucket=pipeline.bucket).get("Contents", []):
        if item["Key"] not in source:
            pipeline.remove(item["Key"])
    pipeline.put(source)
