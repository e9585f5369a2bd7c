"""The gateway publishes what the services' own operations are and take."""

from consilium.assembly import SERVICES
from services.gateway.defining import CANONICAL
from services.gateway.definitions import OWN
from services.referrals.api.inputs import Inputs
from services.referrals.domain.inputs import KINDS, Name


def test_every_operation_of_a_service_has_a_definition() -> None:
    operations = [operation for service in SERVICES for operation in service.operations]
    assert operations
    for operation in operations:
        base, _, id_ = operation.definition.rpartition("/")
        assert base == CANONICAL
        definition = OWN[id_]
        assert (definition["code"], set(definition["resource"])) == (operation.name, operation.types)
        assert definition["affectsState"] == (operation.methods == ("POST",))


def test_an_action_takes_the_same_inputs_everywhere() -> None:
    asked = {each["name"]: each for each in OWN["referral-perform-action"]["parameter"] if each["use"] == "in"}
    assert set(asked) == {"action", *Name}
    assert {name: asked[name]["type"] for name in Name} == {name: kind.type for name, kind in KINDS.items()}
    assert set(Inputs.model_fields) == set(Name)
