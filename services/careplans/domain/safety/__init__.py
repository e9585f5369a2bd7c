"""The safety rules on a patient's merged medication list: resources in, findings and changes of DetectedIssues out.

``evaluation.evaluate`` is the way in; ``reconciliation.reconcile`` turns its findings into DetectedIssues with a life
cycle. Advisory, all of it: a clinician must sign off the content before clinical use.
"""
