"""Events between services: CloudEvents envelopes, an outbox, an inbox, and two transports behind one seam."""
