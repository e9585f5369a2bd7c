"""What operators deploy: images, compose, Kubernetes, telemetry."""
