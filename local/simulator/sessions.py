"""Generates one session: the pages that a visitor sees, signed in or not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

from local.simulator.dice import between
from local.simulator.people import Person
from local.simulator.repertoire import Recording, Repertoire


class Event(msgspec.Struct, rename="camel", gc=False):
    """A line of a log file, its fields in the file's order."""

    artist: str | None
    auth: str
    first_name: str | None
    gender: str | None
    item_in_session: int
    last_name: str | None
    length: float | None
    level: str
    location: str | None
    method: str
    page: str
    registration: float | None
    session_id: int
    song: str | None
    status: int
    ts: int
    user_agent: str | None
    user_id: str


PLAY = "NextSong"
FREE, PAID = "free", "paid"
UPGRADE, DOWNGRADE = "Submit Upgrade", "Submit Downgrade"

# How a page is asked for and answered; the others by GET and 200.
_ANSWERS = {
    PLAY: ("PUT", 200),
    "Error": ("GET", 404),
    **dict.fromkeys(("Login", "Logout", "Save Settings", UPGRADE, DOWNGRADE), ("PUT", 307)),
}
# What a page is often followed by, and how often.
_FOLLOWED_BY = {
    "Login": ("Home", 1.0),
    "Logout": ("Home", 1.0),
    UPGRADE: ("Home", 1.0),
    DOWNGRADE: ("Home", 1.0),
    "Upgrade": (UPGRADE, 0.45),
    "Downgrade": (DOWNGRADE, 0.12),
    "Settings": ("Save Settings", 0.2),
}
# Where a visitor goes otherwise: pages with how often they, or one before them, are chosen.
_SIGNED_OUT = (("Login", 0.6), ("Home", 0.85), ("Help", 0.93), ("About", 1.0))
_SIGNED_IN = {
    FREE: (
        (PLAY, 0.84), ("Home", 0.92), ("Upgrade", 0.945), ("Settings", 0.955), ("Help", 0.967), ("About", 0.977),
        ("Logout", 0.998), ("Error", 1.0),
    ),
    PAID: (
        (PLAY, 0.91), ("Home", 0.945), ("Downgrade", 0.955), ("Settings", 0.965), ("Help", 0.973), ("About", 0.979),
        ("Logout", 0.998), ("Error", 1.0),
    ),
}  # fmt: skip
_CHANGES = {UPGRADE: PAID, DOWNGRADE: FREE}
_HEARD_TO_THE_END = 0.88
_COMES_SIGNED_IN = 0.85


class Subscriptions:
    """Who pays. Everybody starts free."""

    def __init__(self) -> None:
        self._paying: set[str] = set()

    def level(self, person: Person) -> str:
        """What a person has now."""
        return PAID if person.user_id in self._paying else FREE

    def change(self, person: Person, level: str) -> None:
        """Give a person another level."""
        if level == PAID:
            self._paying.add(person.user_id)
        else:
            self._paying.discard(person.user_id)


def signed_in(
    number: int, at: int, length: int, person: Person, paying: Subscriptions, songs: Repertoire, chance: Random
) -> Iterator[Event]:
    """Give the events of a person's session, from `at` (epoch milliseconds) on; some of them signed out."""
    known = chance.random() < _COMES_SIGNED_IN
    page = "Home"
    for item in range(length):
        level = paying.level(person)
        recording = songs.played(chance) if page == PLAY else None
        yield _event(number, item, at, page, level, person if known else None, recording)
        if page in _CHANGES:
            paying.change(person, _CHANGES[page])
        elif page in {"Login", "Logout"}:
            known = page == "Login"
        at += _pause(recording, chance)
        page = _next_page(page, _SIGNED_IN[paying.level(person)] if known else _SIGNED_OUT, chance)


def signed_out(number: int, at: int, length: int, chance: Random) -> Iterator[Event]:
    """Give the events of a visitor who never signs in, from `at` (epoch milliseconds) on."""
    for item in range(length):
        page = "Home" if item == 0 else ("Help", "About", "Home")[int(chance.random() * 3)]
        yield _event(number, item, at, page, FREE, None, None)
        at += _pause(None, chance)


def _event(
    number: int, item: int, at: int, page: str, level: str, person: Person | None, recording: Recording | None
) -> Event:
    method, status = _ANSWERS.get(page, ("GET", 200))
    artist, song, length = (None, None, None) if recording is None else recording
    if person is None:
        return Event(
            artist, "Logged Out", None, None, item, None, length, level, None, method, page, None, number, song, status,
            at, None, "",
        )  # fmt: skip
    user_id, first_name, last_name, gender, location, registration, user_agent = person
    return Event(
        artist, "Logged In", first_name, gender, item, last_name, length, level, location, method, page, registration,
        number, song, status, at, user_agent, user_id,
    )  # fmt: skip


def _next_page(page: str, choices: tuple[tuple[str, float], ...], chance: Random) -> str:
    follower, likelihood = _FOLLOWED_BY.get(page, ("", 0.0))
    if likelihood and chance.random() < likelihood:
        return follower
    drawn = chance.random()
    return next(choice for choice, up_to in choices if drawn < up_to)


def _pause(recording: Recording | None, chance: Random) -> int:
    """How many milliseconds pass until the next page."""
    if recording is None:
        return between(1_000, 60_000, chance)
    milliseconds = int(recording.length * 1000)
    if chance.random() < _HEARD_TO_THE_END:
        return milliseconds
    return between(2_000, milliseconds, chance)
