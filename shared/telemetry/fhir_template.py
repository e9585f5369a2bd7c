"""The template of a FHIR path (http://hl7.org/fhir/R4/http.html): its shape, with nothing that a client chose."""

_WORDS = frozenset({"metadata", "_history", "_search", "bulk-export", "bulk-import"})


def fhir_template(path: str, prefix: str = "/fhir") -> str | None:
    """``/fhir/{type}/{id}`` for ``/fhir/Task/7``; None for a path that is not below ``prefix`` or of no known shape."""
    if not path.startswith(prefix) or path[len(prefix) : len(prefix) + 1] not in ("", "/"):
        return None
    segments = [segment for segment in path[len(prefix) :].split("/") if segment]
    shape = tuple(_shape(segment) for segment in segments)
    return prefix + _TEMPLATES[shape] if shape in _TEMPLATES else None


def _shape(segment: str) -> str:
    if segment in _WORDS:
        return segment
    return "$" if segment[0] == "$" else ""


_TEMPLATES: dict[tuple[str, ...], str] = {
    (): "",
    ("metadata",): "/metadata",
    ("_history",): "/_history",
    ("_search",): "/_search",
    ("$",): "/${operation}",
    ("",): "/{type}",
    ("", "_search"): "/{type}/_search",
    ("", "_history"): "/{type}/_history",
    ("", "$"): "/{type}/${operation}",
    ("", ""): "/{type}/{id}",
    ("", "", "_history"): "/{type}/{id}/_history",
    ("", "", "$"): "/{type}/{id}/${operation}",
    ("", "", "_history", ""): "/{type}/{id}/_history/{vid}",
    ("", "", "_search"): "/{compartment}/{id}/_search",
    ("", "", ""): "/{compartment}/{id}/{type}",
    ("bulk-export", ""): "/bulk-export/{job}",
    ("bulk-export", "", ""): "/bulk-export/{job}/{file}",
    ("bulk-import", ""): "/bulk-import/{job}",
    ("bulk-import", "", ""): "/bulk-import/{job}/{file}",
}
