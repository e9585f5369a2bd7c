#!/bin/sh
# Debian's RabbitMQ 3.10 knows fewer settings than the image that this stands in for: those it does not know are left out.
set -eu
if [ "${1:-}" = rabbitmq-server ]; then
  cat /etc/rabbitmq/conf.d/*.conf 2>/dev/null | grep -v '^default_queue_type' >/tmp/rabbitmq.conf || true
  export RABBITMQ_CONFIG_FILE=/tmp/rabbitmq.conf
  # Debian's own wrapper wants to change the user; the program itself is beside its library
  set -- /usr/lib/rabbitmq/bin/rabbitmq-server
fi
exec "$@"
