"""What a condition's name means: the thing, or that somebody else has it, that it is feared, looked for or gone."""

import re

_BEFORE = re.compile(
    r"\b(family|history|h/o|hx|suspected|possible|screen\w*|risk (of|for)|no|not|never|without|rule out|ruled out"
    r"|denies|negative for|absence of|exposure to|fear of|concern for|counsel\w*|education|vaccin\w*)\b"
)
"""Before the thing: the patient may not have it."""
_AFTER = re.compile(
    r"\b(in (the )?family|family (history|member)|history|suspected|screen\w*|ruled out|not found|absent|excluded"
    r"|resolved|phobia|counsel\w*|education|vaccin\w*)\b|^ risk\b"
)
"""After the thing. "Migraine without aura" and "not elsewhere classified" say nothing against it."""
_NEUTRAL = re.compile(r"\bnot (elsewhere classified|otherwise specified|intractable|specified)\b")


def means(pattern: str, name: str) -> bool:
    """Whether a ``name`` in small letters, where ``pattern`` finds the thing, says that the patient has it."""
    plain = _NEUTRAL.sub(" ", name)
    return any(
        not _BEFORE.search(plain, 0, found.start()) and not _AFTER.search(plain[found.end() :])
        for found in re.finditer(pattern, plain)
    )
