"""The XHTML of a narrative within FHIR XML (http://hl7.org/fhir/R4/narrative.html), as the text that it is in JSON."""

from xml.sax.saxutils import escape, quoteattr

XHTML = "http://www.w3.org/1999/xhtml"
_OPENING = b'<div xmlns="http://www.w3.org/1999/xhtml"'
_XML = "http://www.w3.org/XML/1998/namespace"


class Narrative:
    """One div on its way through the parser. It keeps its very text, unless namespaces must be written anew."""

    def __init__(self, body: bytes, begin: int) -> None:
        """``begin``: where in ``body`` the div begins."""
        self._body, self._begin, self._end = body, begin, begin
        self._verbatim = body.startswith(_OPENING, begin)
        self._parts: list[str] = []
        self._hangs = False
        self.depth = 0

    def start(self, tag: str, attributes: list[str]) -> bool:
        """An element begins, or the div itself; False where it is none of XHTML's."""
        space, local, prefix = (*tag.split(" "), "", "")[:3]
        if space != XHTML or (self.depth == 0 and local != "div"):
            return False
        self._verbatim = self._verbatim and not prefix
        self._close_opening()
        self._parts.append(f"<{local}" + ("" if self.depth else f' xmlns="{XHTML}"'))
        for place in range(0, len(attributes), 2):
            name = attributes[place].split(" ")
            if len(name) > 1 and name[0] != _XML:
                return False
            self._parts.append(f" {'xml:' + name[1] if len(name) > 1 else name[0]}={quoteattr(attributes[place + 1])}")
        self._hangs = True
        self.depth += 1
        return True

    def text(self, text: str) -> None:
        """Characters."""
        self._close_opening()
        self._parts.append(escape(text))

    def end(self, tag: str, at: int) -> bool:
        """An element ends, before or with what is ``at`` that place of the body; True where it is the div."""
        self.depth -= 1
        self._parts.append("/>" if self._hangs else f"</{tag.split(' ')[1]}>")
        # the parser tells the end of an empty element somewhere else than that of others
        self._verbatim = self._verbatim and not (self._hangs and self.depth == 0)
        self._hangs = False
        self._end = at
        return self.depth == 0

    def div(self) -> str:
        """The whole of it."""
        if not self._verbatim:
            return "".join(self._parts)
        return self._body[self._begin : self._body.index(b">", self._end) + 1].decode()

    def _close_opening(self) -> None:
        if self._hangs:
            self._parts.append(">")
            self._hangs = False
