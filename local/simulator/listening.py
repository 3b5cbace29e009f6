"""Generates all events of a recipe in order of time, from sessions that overlap."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random

from local.simulator import demand, sessions
from local.simulator.dice import between, dice
from local.simulator.people import People
from local.simulator.recipe import Recipe
from local.simulator.repertoire import Repertoire

_STRANGERS = 0.06
_SHORTEST = 2
# Multiples of a session's length, of which most are short and a few very long.
_TYPICAL = {sessions.FREE: 4, sessions.PAID: 12}
_TAIL = 0.95
_TRIES = 20


def events(recipe: Recipe) -> Iterator[sessions.Event]:
    """Give the events of a recipe. Memory grows with the sessions that are open at once, not with the days."""
    chance = dice(recipe.seed, "listening")
    listening = _Listening(recipe, chance)
    # Sessions by their next event; numbers differ, so that events themselves are never compared.
    open_sessions: list[tuple[int, int, sessions.Event, Iterator[sessions.Event]]] = []
    begun = 0
    for minute, wanted in demand.minutes(recipe):
        while begun < wanted:
            number, length, session = listening.begin(minute + int(chance.random() * demand.MINUTE_MS))
            begun += length
            first = next(session)
            heapq.heappush(open_sessions, (first.ts, number, first, session))
        while open_sessions and open_sessions[0][0] < minute + demand.MINUTE_MS:
            _, number, event, session = open_sessions[0]
            yield event
            following = next(session, None)
            if following is None:
                heapq.heappop(open_sessions)
                listening.end(event)
            else:
                heapq.heapreplace(open_sessions, (following.ts, number, following, session))


class _Listening:
    """Whose turn it is, and who is at it already: nobody has two sessions at once."""

    def __init__(self, recipe: Recipe, chance: Random) -> None:
        self._people = People(recipe)
        self._songs = Repertoire(recipe)
        self._chance = chance
        self._paying = sessions.Subscriptions()
        self._people_of: dict[int, int] = {}
        self._busy: set[int] = set()
        self._begun = 0
        # Or a day of few events would be the day of one long session, and the next day empty.
        self._longest = max(_SHORTEST, recipe.events_per_day // 4)

    def begin(self, at: int) -> tuple[int, int, Iterator[sessions.Event]]:
        """Begin a session at a time (epoch milliseconds): its number, how many events it has, and they."""
        self._begun += 1
        number = self._begun
        who = None if self._chance.random() < _STRANGERS else self._somebody()
        if who is None:
            length = min(between(1, 4, self._chance), self._longest)
            return number, length, sessions.signed_out(number, at, length, self._chance)
        self._people_of[number] = who
        self._busy.add(who)
        person = self._people.person(who)
        length = self._length(self._paying.level(person))
        session = sessions.signed_in(number, at, length, person, self._paying, self._songs, self._chance)
        return number, length, session

    def end(self, event: sessions.Event) -> None:
        """Give the user who had the session of an event another one."""
        if event.session_id in self._people_of:
            self._busy.remove(self._people_of.pop(event.session_id))

    def _somebody(self) -> int | None:
        """The number of somebody who is not at it already; None if it seems that everybody is."""
        for _ in range(_TRIES):
            drawn = self._chance.random()
            who = int((0.1 + 0.9 * drawn) * drawn * self._people.count)
            if who not in self._busy:
                return who
        return None

    def _length(self, level: str) -> int:
        drawn = self._chance.random()
        return min(_SHORTEST + int(_TYPICAL[level] * drawn / (1 - _TAIL * drawn)), self._longest)
