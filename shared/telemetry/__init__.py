"""Traces, metrics, logs and health of a process (OpenTelemetry); nothing in them that a client sent."""
