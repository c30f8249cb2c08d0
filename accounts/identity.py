"""When two addresses are one identity: when people, or their mail programs, could take one for the other.

Case, spaces around, compatibility forms (NFKC) and invisible characters make no difference, and neither do letters of
other scripts that look like Latin ones (after Unicode's confusables, TR 39). It is computed by the database alone, so
that what is looked up and what is unique are the same.
"""

from django.db.models import CharField, Func

# Each letter of the first text counts as the one in its place in the second, whatever its case. The index is made of
# these: whoever changes them rebuilds it.
_CYRILLIC = ("абвгеёзікмнорстухѕјһԁԛԝӏѵАБВГЕЁЗІКМНОРСТУХЅЈҺԀԚԜӀѴ", "a6breë3ikmhopctyxsjhdqwlva6breë3ikmhopctyxsjhdqwlv")
_GREEK = ("αβγεζηικμνορστυχωΑΒΓΕΖΗΙΚΜΝΟΡΣΤΥΧΩ", "abyeznikuvopotuxwabyeznikuvopotuxw")
_LATIN = ("ıİɑɡɩʟɴʀʏʙʜɪᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱ", "iiagilnrybhiacdejkmoptuvwzs")
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"

LOOKALIKES = _CYRILLIC[0] + _GREEK[0] + _LATIN[0]
TAKEN_FOR = _CYRILLIC[1] + _GREEK[1] + _LATIN[1]


class Identity(Func):
    """What an address counts as."""

    template = f"lower(translate(normalize(btrim(%(expressions)s), NFKC), '{LOOKALIKES}{_INVISIBLE}', '{TAKEN_FOR}'))"
    output_field = CharField()
    arity = 1
