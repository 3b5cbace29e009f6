"""The words that names, places and titles are made of. Nobody and nothing real is meant."""

from __future__ import annotations

from random import Random

from local.simulator.dice import one_of

_NAME_BEGINNINGS = (
    "Ba", "Bré", "Cai", "Dov", "El", "Fen", "Ga", "Hjø", "Ilva", "Jor", "Kes", "Lu", "Mi", "Nae", "Oz", "Pel",
    "Quo", "Ru", "Syl", "Tam", "Ull", "Vé", "Wyn", "Xan", "Yri", "Zo",
)  # fmt: skip
_NAME_ENDINGS_F = ("lisa", "rine", "vette", "nå", "dora", "mina", "lia", "ssé", "wen", "tha")
_NAME_ENDINGS_M = ("dan", "rik", "vel", "mar", "ton", "lo", "gor", "bén", "wyn", "ñar")
_FAMILY_BEGINNINGS = (
    "Alder", "Brum", "Corv", "Dran", "Ester", "Fjord", "Grim", "Hollo", "Iber", "Jask", "Krell", "Lind", "Marr",
    "Nørr", "O'Quil", "Pött", "Quen", "Ravn", "Szél", "Thorn", "Umbr", "Vasq", "Wester", "Yarro", "Zelen",
)  # fmt: skip
_FAMILY_ENDINGS = (
    "by",
    "dale",
    "ez",
    "feldt",
    "gate",
    "holt",
    "ić",
    "kin",
    "lund",
    "mond",
    "ova",
    "quist",
    "sen",
    "wick",
)
_PLACE_BEGINNINGS = (
    "Amber", "Brack", "Cinder", "Dusk", "Ember", "Fallow", "Gallow", "Hazel", "Inkle", "Juniper", "Kettle", "Lark",
    "Mallow", "Nettle", "Otter", "Pepper", "Quill", "Russet", "Saffron", "Thistle", "Umber", "Velvet", "Willow",
)  # fmt: skip
_PLACE_ENDINGS = ("bridge", "cross", "fall", "haven", "hollow", "mere", "moor", "reach", "stead", "water")
_STATES = ("AL", "AZ", "CA", "CO", "FL", "GA", "IL", "LA", "ME", "MI", "NY", "OH", "OR", "PR", "TX", "WA", "WI")

_DESCRIPTIONS = (
    "Paper", "Crooked", "Élan", "Silver", "Slow", "Hollow", "Midnight", "Unsent", "Naïve", "Borrowed", "Electric",
    "Wintry", "Seventh", "Lost", "Golden", "Añejo", "Restless", "Quiet", "Frozen", "Distant",
)  # fmt: skip
_THINGS = (
    "Lantern", "Carousel", "Río", "Harbour", "Telegraph", "Orchard", "Façade", "Satellite", "Umbrella", "Déjà Vu",
    "Staircase", "Thunder", "Weather", "Jukebox", "Mirror", "Compass", "Fjörd", "Avenue", "Piñata", "Letter",
)  # fmt: skip
_FOREIGN_TITLES = (
    "Тихий фонарь", "Δρόμος χωρίς βροχή", "紙の灯台", "겨울 정원", "रात की नाव", "שיר בלי שם", "ليل هادئ",
    "月の自転車", "♥ 2 ♥", "🎈🎈🎈",
)  # fmt: skip
_DEDICATIONS = ("Don't Wait, {}", "{}'s Waltz", "Nine Letters to {}", "Ask {} Again", "Rain & {}", "{} / Reprise")
_BANDS = ("Orchestra", "Quartet", "& the Postcards", "Sound System", "Brothers", "Collective", "Trio", "Club")
_EDITIONS = ("(Live)", "(Radio Edit)", "[Demo]", "- Remastered", "(Album Version)", '("Unplugged")')


def first_name(gender: str, chance: Random) -> str:
    """Return a first name."""
    return one_of(_NAME_BEGINNINGS, chance) + one_of(_NAME_ENDINGS_F if gender == "F" else _NAME_ENDINGS_M, chance)


def last_name(chance: Random) -> str:
    """Return a family name."""
    return one_of(_FAMILY_BEGINNINGS, chance) + one_of(_FAMILY_ENDINGS, chance)


def town(chance: Random) -> str:
    """Return a town's name."""
    return one_of(_PLACE_BEGINNINGS, chance) + one_of(_PLACE_ENDINGS, chance)


def region(chance: Random) -> str:
    """Return one to three towns and a state, as listeners' locations are written."""
    towns = [town(chance) for _ in range(1 + int(chance.random() * 3))]
    return f"{'-'.join(dict.fromkeys(towns))}, {one_of(_STATES, chance)}"


def artist_name(chance: Random) -> str:
    """Return the name of a singer or a band."""
    kind = chance.random()
    if kind < 0.45:
        return f"{first_name(one_of('FM', chance), chance)} {last_name(chance)}"
    if kind < 0.7:
        return f"{last_name(chance)} {one_of(_BANDS, chance)}"
    return f"The {one_of(_DESCRIPTIONS, chance)} {one_of(_THINGS, chance)}"


def title(chance: Random) -> str:
    """Return a song's title."""
    kind = chance.random()
    if kind < 0.05:
        return one_of(_FOREIGN_TITLES, chance)
    if kind < 0.45:
        plain = f"{one_of(_DESCRIPTIONS, chance)} {one_of(_THINGS, chance)}"
    elif kind < 0.75:
        plain = f"{one_of(_THINGS, chance)} of {town(chance)}"
    else:
        plain = one_of(_DEDICATIONS, chance).format(first_name(one_of("FM", chance), chance))
    return f"{plain} {one_of(_EDITIONS, chance)}" if chance.random() < 0.2 else plain
