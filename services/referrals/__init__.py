"""Referrals: the closed loop of an order, from the request to the report back.

Owns ServiceRequest, Task, Appointment, Slot, Schedule and the directory (Practitioner, PractitionerRole, Organization,
Location, HealthcareService, Endpoint). Says ``referral.*`` whenever the Task of a referral changes. Hears
``record.careplans``, and keeps copies of what its references lead to.
The rules of the Task and of the order are data in ``domain``; every way in (FHIR, REST, messages) passes them.
"""
