"""The shared record and the one shared plan.

Owns CarePlan, CareTeam, Goal, Patient, Condition, Observation, QuestionnaireResponse and every other R4 type that
neither ``referrals`` nor ``notifications`` owns. Says ``careplan.*`` (created, updated, activity added or changed, team
changed, deleted), ``safety.*`` (an answer that somebody must look at), ``outcome.*`` (scores that call for a review of
the plan) and ``diagnosis.*`` (an uncertain one is to be looked at again). Keeps the scores of outcome measures in step
with the answers that they are made from. Hears ``referral.*`` and keeps each patient's one shared CarePlan in step with
it: an activity per referral, a care-team participant per accepted discipline, the outcome when a referral is completed.
Hears ``record.*`` and keeps copies of what its references lead to.
"""
