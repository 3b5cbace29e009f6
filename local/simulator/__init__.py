"""A made-up Sparkify: its songs, its listeners and what they do, in the format of the real files.

All of it follows from a :class:`~local.simulator.recipe.Recipe`: the same recipe gives the same bytes on every
machine and Python, and one of more days begins with the bytes of one of fewer.
"""

from __future__ import annotations

from local.simulator.listening import events
from local.simulator.recipe import Recipe
from local.simulator.repertoire import Repertoire
from local.simulator.writing import generate, recipe_of

__all__ = ["Recipe", "Repertoire", "events", "generate", "recipe_of"]
