"""The XHTML of a Narrative (txt-1, txt-2; http://hl7.org/fhir/R4/narrative.html#xhtml)."""

from typing import Any
from xml.parsers import expat

from shared.fhir.validate.primitives import plain
from shared.fhir.validate.walk import Place, Walk

XHTML = "http://www.w3.org/1999/xhtml"

ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "b",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "map",
        "area",
        "ol",
        "p",
        "pre",
        "q",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "center",
        "font",
        "s",
        "strike",
        "basefont",
        "dir",
        "menu",
    ]
)
"""Chapters 7-11 (without the part on insertion of scripts) and 15 of HTML 4.0, links and images."""

_XML = "http://www.w3.org/XML/1998/namespace"
ATTRIBUTES = frozenset(
    (
        "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff "
        "charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc "
        "name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign "
        "value vspace width "
        # of the same chapters, and not in the XPath of txt-1
        "clear color datetime face ismap nohref noshade size usemap"
    ).split()
) | {f"{_XML} lang", f"{_XML} space"}
"""Those that the XPath of txt-1 names, those of the elements above, and the language, which R4 asks for."""

LINKS = ("href", "src", "cite", "longdesc")
_EXECUTED = ("javascript:", "vbscript:", "livescript:", "data:", "blob:", "filesystem:", "jar:", "view-source:")


def narrative_div(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
    """One well-formed XHTML ``div`` of formatting only, with something in it."""
    if type(value) is not str:
        walk.report("structure", "This must be a JSON string.", parent, label, index)
    elif not plain(value):
        walk.report("value", "This must be XHTML: not empty, no control characters.", parent, label, index)
    elif finding := _Reader(walk).read(value):
        walk.report("invariant", finding, parent, label, index)


class _Reader:
    """Reads the fragment once; the first finding counts."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.finding: str | None = None
        self.content = False
        self.root = True

    def read(self, div: str) -> str | None:
        parser = expat.ParserCreate("utf-8", " ")  # whatever the text declares
        parser.UseForeignDTD(True)  # an entity of HTML, such as &nbsp;, is then passed over instead of being an error
        parser.StartElementHandler = self.element
        parser.CharacterDataHandler = self.text
        parser.SkippedEntityHandler = self.entity
        parser.StartDoctypeDeclHandler = self.doctype
        parser.ProcessingInstructionHandler = self.instruction
        parser.XmlDeclHandler = self.instruction
        try:
            parser.Parse(div.encode("utf-8"), True)
        except expat.ExpatError:
            return self.finding or "The narrative is not well-formed XHTML (txt-1)."
        if self.finding is None and not self.content:
            return "The narrative is empty (txt-2)."
        return self.finding

    def element(self, name: str, attributes: dict[str, str]) -> None:
        self.walk.spend(1)
        space, _, local = name.rpartition(" ")
        if space != XHTML or (self.root and local != "div"):
            self.finding = self.finding or "The narrative must be one div in the XHTML namespace (txt-1)."
        self.root = False
        if local not in ELEMENTS or not ATTRIBUTES.issuperset(attributes):
            self.finding = self.finding or "The narrative may only have formatting, links and images (txt-1)."
        if any(_active(name, attributes[name]) for name in LINKS if name in attributes):
            self.finding = self.finding or "The narrative may have no active content (txt-1)."
        self.content = self.content or local == "img"

    def text(self, text: str) -> None:
        self.content = self.content or not text.isspace()

    def entity(self, name: str, is_parameter: bool) -> None:
        self.content = True

    def doctype(self, *declaration: Any) -> None:
        self.finding = self.finding or "The narrative may have no document type (txt-1)."

    def instruction(self, *content: Any) -> None:
        self.finding = self.finding or "The narrative may have no processing instructions (txt-1)."


def _active(name: str, url: str) -> bool:
    """Whether a browser would execute what the link leads to, rather than open it. An image may stand in its link."""
    url = "".join(url.split()).lower()
    return url.startswith(_EXECUTED) and not (name == "src" and url.startswith("data:image/"))
