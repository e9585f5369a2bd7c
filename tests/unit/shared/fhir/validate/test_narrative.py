"""The XHTML of narratives (http://hl7.org/fhir/R4/narrative.html)."""

import pytest

from shared.fhir.validate.narrative import narrative_div
from shared.fhir.validate.walk import ABOVE, Walk

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def codes(div: object) -> list[str]:
    walk = Walk()
    narrative_div(div, ABOVE, "Patient.text.div", -1, walk)
    return [issue.code for issue in walk.issues]


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "<p>&nbsp;</p>",
        '<img src="picture.png" alt="a picture"/>',
        '<table class="grid" style="width: 90%"><tr><td colspan="2">a<br/>b</td></tr></table>',
        '<a href="https://example.org/">link</a><!-- why -->',
        '<img src="data:image/png;base64,AAAA" alt="a dot" usemap="#m"/>',
        '<a href="mailto:a@example.org" rel="author" title="x">a</a><a name="top"/><a href="#top">b</a>',
        '<p lang="nl" xml:lang="nl" dir="ltr">tekst</p><font color="red" size="2">b</font>',
        '<q cite="urn:x">a</q><ol start="3"><li value="3">c</li></ol><pre xml:space="preserve">d</pre>',
        '<a href="Patient/data:x">relative</a>',
    ],
)
def test_formatting_is_accepted(content: str) -> None:
    assert codes(DIV.format(content)) == []


def test_a_prefixed_namespace_is_accepted() -> None:
    assert codes('<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>text</h:p></h:div>') == []


@pytest.mark.parametrize(
    "div",
    [
        "text",
        "<div>no namespace</div>",
        DIV.format("<p>not closed"),
        DIV.format(" \n "),
        DIV.format("<script>x</script>"),
        DIV.format('<p onclick="x()">text</p>'),
        DIV.format('<a href=" java\nscript:x()">text</a>'),
        DIV.format("<form>text</form>"),
        DIV.format("a<?php evil?>"),
        DIV.format("a") + "<?php evil?>",
        "<?xml-stylesheet href='x'?>" + DIV.format("a"),
        "<?xml version='1.0' encoding='UTF-7'?>" + DIV.format("a"),
        DIV.format('<p xmlns:x="urn:x" x:onclick="x()">text</p>'),
        DIV.format('<p xmlns:x="http://www.w3.org/1999/xhtml" x:class="y">text</p>'),
        DIV.format('<p xmlns:x="http://www.w3.org/1999/xlink" x:href="javascript:x()">text</p>'),
        DIV.format('<p xml:base="javascript:x()">text</p>'),
        DIV.format('<p ONCLICK="x()">text</p>'),
        DIV.format('<p formaction="x">text</p>'),
        DIV.format('<p contenteditable="true">text</p>'),
        DIV.format('<a href="data:text/html,x">text</a>'),
        DIV.format('<a href="data:image/svg+xml,x">text</a>'),
        DIV.format('<img src="data:text/html,x" alt="x"/>'),
        DIV.format('<a href="&#1;JavaScript:x()">text</a>'),
        DIV.format('<a href="java&#9;script:x()">text</a>'),
        DIV.format('<a href="VBScript:x()">text</a>'),
        DIV.format('<q cite="javascript:x()">text</q>'),
        DIV.format('<img src="x" longdesc="javascript:x()"/>'),
        DIV.format("text") * 2,
        '<p xmlns="http://www.w3.org/1999/xhtml">text</p>',
        '<!DOCTYPE div [<!ENTITY a "b">]>' + DIV.format("&a;"),
    ],
)
def test_anything_else_breaks_the_rule(div: str) -> None:
    assert codes(div) == ["invariant"]


def test_what_is_no_text_is_told_as_such() -> None:
    assert codes(1) == ["structure"]
    assert codes("") == ["value"]
    assert codes(DIV.format("\x00")) == ["value"]
