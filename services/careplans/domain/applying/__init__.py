"""The pure heart of ``PlanDefinition/$apply`` (http://hl7.org/fhir/R4/plandefinition-operation-apply.html).

``apply.apply`` judges every action of a PlanDefinition over a patient's record and says whether it is proposed, and why
or why not. Conditions are FHIRPath over variables (``%phq9``, ``%kidneyDisease``, ...; ``inputs.gather`` makes them).
A variable without a value is empty, so the three-valued logic of FHIRPath tells "no" from "not known". All of it is
advisory: a proposal is a draft for people.
"""
