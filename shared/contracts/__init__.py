"""The published language: what a service says on RabbitMQ. One file per service; versioned, frozen, thin.

A payload has ids, codes and versions; never a name, never clinical text. Who needs the body reads it over FHIR.
"""
