"""Strings compare without case and accents (http://hl7.org/fhir/R4/search.html#string)."""

import unicodedata


def folded(text: str) -> str:
    """``text`` in lower case, without combining marks, white space as single blanks."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(text.casefold().split())
