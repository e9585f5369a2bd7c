"""What a patient's prescriptions say, for safety rules: ingredients, daily doses, morphine equivalents.

``medications.read`` reads one MedicationRequest or MedicationStatement, ``mme.equivalents`` adds up what is active.
Advisory, all of it: a clinician must sign off the content before clinical use.
"""
