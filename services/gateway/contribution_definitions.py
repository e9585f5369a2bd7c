"""OperationDefinitions of how many contribute to one CarePlan, and of who changed what in it
(http://hl7.org/fhir/R4/operationdefinition.html).
"""

from functools import partial
from typing import Any

from services.gateway.defining import definition
from shared.fhir.json import Resource

_definition = partial(definition, types=("CarePlan",), date="2026-11-28")


def _parameter(name: str, use: str, least: int, most: str, documentation: str, **more: Any) -> Resource:
    return {"name": name, "use": use, "min": least, "max": most, "documentation": documentation} | more


def _out(name: str, type_: str, documentation: str, *, least: int = 0, most: str = "1") -> Resource:
    return _parameter(name, "out", least, most, documentation, type=type_)


_BY = [
    _out("version", "positiveInt", "The version that it came with.", least=1),
    _out("recorded", "instant", "When that was stored.", least=1),
    _out("who", "Reference", "Who made it, as its Provenance says."),
    _out("role", "code", "In which role: coordinator, clinician, patient or system."),
    _out("discipline", "code", "For which discipline."),
    _out("reason", "string", "Why, in their words."),
]
DEFINITIONS: tuple[Resource, ...] = (
    _definition(
        "careplan-contribute",
        "CarePlanContribute",
        "contribute",
        changes=True,
        description="Brings what was changed in an older version of the shared plan into the current one, as one new"
        " version; none where all of it is there already, or the same contribution came before. The version that it was"
        " made from is meta.versionId of the plan, or If-Match. The plan may also be the body, without Parameters."
        " meta of the contribution and a generated narrative are passed over. 400: no version is named, or two are, or"
        " one that never was; 403: it changes what belongs to others; 409: others changed the same element, or the"
        " version is not kept any more: the OperationOutcome contains the current plan and all that differs, and"
        " nothing is stored; 422: it breaks a rule, or the plan is not the shared one.",
        parameters=[
            _parameter(
                *("resource", "in", 1, "1", "The whole plan as the caller wants it; what it left out is removed."),
                type="CarePlan",
            ),
            _parameter("reason", "in", 0, "1", "Why, in words: it stands in the Provenance.", type="string"),
            _out("return", "CarePlan", "The plan as it is now; Prefer says whether it comes.", least=1),
        ],
    ),
    _definition(
        "careplan-diff",
        "CarePlanDiff",
        "diff",
        changes=False,
        description="What tells one version of a plan from another, element by element, and who brought it: of the"
        " newest 200 versions between them. A value is JSON in a string.",
        parameters=[
            _parameter("from", "in", 1, "1", "The number of the older version.", type="positiveInt"),
            _parameter("to", "in", 0, "1", "That of the newer; without it, the current one.", type="positiveInt"),
            _out("from", "positiveInt", "As asked.", least=1),
            _out("to", "positiveInt", "As asked, or the current version.", least=1),
            _parameter(
                *("change", "out", 0, "*", "An element, or an item of a list, that is not the same."),
                part=[
                    _out("path", "string", "Which, in FHIRPath.", least=1),
                    _out("before", "string", "Its JSON in the older version; none where it was not there."),
                    _out("after", "string", "Its JSON in the newer version; none where it is not there."),
                    _out("summary", "string", "A line for people, one for each who changed it.", least=1, most="*"),
                    _parameter("by", "out", 0, "*", "A version that changed it, the oldest first.", part=_BY),
                ],
            ),
        ],
    ),
)
