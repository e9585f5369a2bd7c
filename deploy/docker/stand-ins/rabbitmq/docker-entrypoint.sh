#!/bin/sh
# Debian's RabbitMQ 3.10 knows fewer settings than the image that this stands in for: those it does not know are left out.
set -eu
if [ "${1:-}" = rabbitmq-server ]; then
  mkdir -p /tmp/conf.d
  cat /etc/rabbitmq/conf.d/*.conf | grep -v '^default_queue_type' >/tmp/conf.d/all.conf
  export RABBITMQ_CONFIG_FILES=/tmp/conf.d
  # Debian's own wrapper wants to change the user; the program itself is beside its library
  set -- /usr/lib/rabbitmq/bin/rabbitmq-server
fi
exec "$@"
