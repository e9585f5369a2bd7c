"""The services. They never import each other; they meet in FHIR over HTTP and in events over RabbitMQ."""
