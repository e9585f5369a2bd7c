"""What the dashboards show."""

from tools.dashboards.promql import increase, latest, most, quantiles, rate
from tools.dashboards.shape import Dashboard, Panel

HTTP = "http_server_request_duration_seconds"
JOB = 'job=~"$job"'
ASKED = f'{JOB}, http_route!~"/health/.*"'
EACH = "{{job}} {{instance}}"
REQUESTS = rate(f"{HTTP}_count", "job", ASKED)
FAILED = rate(f"{HTTP}_count", "job", f'{ASKED}, http_response_status_code=~"5.."')
PROCESSOR = rate("process_cpu_time_seconds_total", "job, instance", JOB)
UNREADY = f"sum by (job, check) (consilium_check_passing{{{JOB}}} == bool 0) > 0"

SERVICES = Dashboard(
    "consilium-services",
    "Services: golden signals",
    (
        Panel("Requests", "reqps", (("{{job}}", REQUESTS),)),
        Panel(
            "Failed requests",
            "percentunit",
            (("{{job}}", f"{FAILED} / {REQUESTS}"),),
            "5xx of all; the objective allows 0.1 %.",
        ),
        Panel(
            "Duration",
            "s",
            quantiles(HTTP, "job", 0.5, 0.99, within=ASKED),
            "Until the head of the answer. Points are examples: they lead to their traces.",
        ),
        Panel(
            "Slowest routes, p99",
            "s",
            tuple(
                (legend, f"topk(10, {query})")
                for legend, query in quantiles(HTTP, "http_request_method, http_route", 0.99, within=ASKED)
            ),
        ),
        Panel(
            "Answers by status",
            "reqps",
            (("{{http_response_status_code}}", rate(f"{HTTP}_count", "http_response_status_code", ASKED)),),
        ),
        Panel(
            "Requests being served",
            "short",
            (("{{job}}", f"sum by (job) (http_server_active_requests{{{JOB}}})"),),
            "Open event streams count.",
        ),
        Panel(
            "Error budget burnt, 1 h",
            "short",
            (
                ("{{job}} availability", f'slo:error_ratio:rate1h{{slo="api-availability", {JOB}}} / 0.001'),
                ("{{job}} latency", f'slo:error_ratio:rate1h{{slo="api-latency", {JOB}}} / 0.01'),
            ),
            "1 spends the budget in exactly 30 days; 14.4 pages.",
        ),
        Panel(
            "Event loop lag",
            "s",
            quantiles("consilium_event_loop_lag_seconds", "job", 0.95, 0.99, within=JOB),
            "How late a process comes to what it has to do.",
        ),
        Panel("Processor", "percentunit", ((EACH, PROCESSOR),), "A process has one core."),
        Panel("Memory", "bytes", ((EACH, f"process_memory_usage_bytes{{{JOB}}}"),)),
        Panel("Open files", "short", ((EACH, f"process_unix_file_descriptor_count{{{JOB}}}"),)),
        Panel(
            "Processes and readiness",
            "short",
            (
                ("{{job}} processes", f"count by (job) (consilium_process_up{{{JOB}}})"),
                ("{{job}} not ready: {{check}}", UNREADY),
            ),
        ),
    ),
    variable=("job", "consilium_process_up"),
)

STEPS, ELAPSED = "consilium_referral_steps_total", "consilium_referral_elapsed_seconds_bucket"
CHOSEN = 'discipline=~"$discipline"'
ACCEPTED = increase(ELAPSED, "discipline, le", 'step="accepted"', "7d")
ASKED_FOR = f'sum(increase({STEPS}{{step="requested"}}[7d]))'

REFERRALS = Dashboard(
    "consilium-referrals",
    "Referral funnel",
    (
        Panel(
            "Steps in the chosen time",
            "short",
            (("{{step}}", f"sort_desc({increase(STEPS, 'step', CHOSEN, '$__range')})"),),
            kind="bargauge",
        ),
        Panel("Steps per hour", "short", (("{{step}}", increase(STEPS, "step", f'{CHOSEN}, step!="updated"')),)),
        Panel(
            "Requested by discipline, per hour",
            "short",
            (("{{discipline}}", increase(STEPS, "discipline", 'step="requested"')),),
        ),
        Panel(
            "From request to step, median over a day",
            "s",
            (("{{step}}", f"histogram_quantile(0.5, {increase(ELAPSED, 'step, le', CHOSEN, '1d')})"),),
            "Since Task.authoredOn, of referrals that took the step that day.",
        ),
        Panel(
            "From request to acceptance, p90 over a week",
            "s",
            (("{{discipline}}", f"histogram_quantile(0.9, {ACCEPTED})"),),
        ),
        Panel(
            "Lost on the way, share of a week's requests",
            "percentunit",
            tuple(
                (step, f'sum(increase({STEPS}{{step="{step}"}}[7d])) / {ASKED_FOR}')
                for step in ("declined", "cancelled", "no-show", "failed")
            ),
        ),
    ),
    variable=("discipline", STEPS),
)

LIVING, DEAD = 'queue!~".+\\\\.dead"', 'queue=~".+\\\\.dead"'
RETRIES = 'queue!~".+\\\\.(dead|retry\\\\.[0-9]+)"'
RELAY_FAILURES = rate("consilium_relay_failures_total", "database, reason")
PUT_ASIDE = rate("consilium_message_put_aside_total", "queue, outcome")

MESSAGES = Dashboard(
    "consilium-messages",
    "Outboxes and queues",
    (
        Panel("Events waiting in outboxes", "short", (("{{service}}", latest("consilium_outbox_depth", "service")),)),
        Panel("Age of the oldest", "s", (("{{service}}", latest("consilium_outbox_age_seconds", "service")),)),
        Panel(
            "Relayed",
            "cps",
            (
                ("{{database}}", rate("consilium_relay_published_total", "database")),
                ("{{database}} {{reason}}", f"{RELAY_FAILURES} > 0"),
            ),
        ),
        Panel("Messages waiting", "short", (("{{queue}}", latest("consilium_queue_depth", "queue", LIVING)),)),
        Panel("Dead letters", "short", (("{{queue}}", latest("consilium_queue_depth", "queue", DEAD)),)),
        Panel(
            "Handled and failed",
            "cps",
            (("{{queue}} {{outcome}}", rate("consilium_message_duration_seconds_count", "queue, outcome")),),
        ),
        Panel("Handler", "s", quantiles("consilium_message_duration_seconds", "queue", 0.5, 0.99)),
        Panel(
            "From the write to the handled message",
            "s",
            quantiles("consilium_event_age_seconds", "queue", 0.5, 0.99),
            "The objective: 99.5 % within 5 s.",
        ),
        Panel(
            "Failed attempts",
            "cps",
            (
                ("{{queue}} to {{outcome}}", f"{PUT_ASIDE} > 0"),
                ("{{queue}} {{reason}}", rate("consilium_message_failures_total", "queue, reason")),
            ),
        ),
        Panel("Consumers", "short", (("{{queue}}", latest("rabbitmq_detailed_queue_consumers", "queue", RETRIES)),)),
        Panel(
            "Broker: free disk",
            "bytes",
            (
                ("{{instance}}", "rabbitmq_disk_space_available_bytes"),
                ("limit", "max(rabbitmq_disk_space_available_limit_bytes)"),
            ),
        ),
        Panel(
            "Broker: memory",
            "bytes",
            (
                ("{{instance}}", "rabbitmq_process_resident_memory_bytes"),
                ("limit", "max(rabbitmq_resident_memory_limit_bytes)"),
            ),
        ),
    ),
)

SETTLED, ATTEMPT = "consilium_delivery_settled_total", "consilium_delivery_attempt_duration_seconds"
GIVEN_UP = increase(SETTLED, "channel", 'status="failed"')

DELIVERIES = Dashboard(
    "consilium-deliveries",
    "Deliveries",
    (
        Panel("Attempts", "cps", (("{{channel}} {{verdict}}", rate(f"{ATTEMPT}_count", "channel, verdict")),)),
        Panel("Ended, per hour", "short", (("{{channel}} {{status}}", increase(SETTLED, "channel, status")),)),
        Panel(
            "Given up, share of an hour's",
            "percentunit",
            (("{{channel}}", f"{GIVEN_UP} / {increase(SETTLED, 'channel')}"),),
        ),
        Panel("One attempt", "s", quantiles(ATTEMPT, "channel", 0.5, 0.99)),
        Panel(
            "From the message to its delivery",
            "s",
            quantiles("consilium_delivery_delay_seconds", "channel", 0.5, 0.99),
            "The objective: 99 % within 5 minutes.",
        ),
        Panel("Due and not taken up", "short", (("{{channel}}", latest("consilium_delivery_overdue", "channel")),)),
        Panel(
            "How long they have been due",
            "s",
            (("{{channel}}", latest("consilium_delivery_overdue_age_seconds", "channel")),),
        ),
        Panel("Error budget burnt, 1 h", "short", (("{{channel}}", 'slo:error_ratio:rate1h{slo="delivery"} / 0.01'),)),
    ),
)

POOL = "db_client_connection_pool_name"
USED = f'sum by (job, {POOL}) (db_client_connection_count{{db_client_connection_state="used"}})'
FROM_MEMORY = 'max by (database) (rate(consilium_database_blocks_total{source="memory"}[$__rate_interval]))'
FROM_DISK = 'max by (database) (rate(consilium_database_blocks_total{source="disk"}[$__rate_interval]))'

DATABASE = Dashboard(
    "consilium-database",
    "Database",
    (
        Panel(
            "Pool connections at work",
            "percentunit",
            ((f"{{{{job}}}} {{{{{POOL}}}}}", f"{USED} / sum by (job, {POOL}) (db_client_connection_max)"),),
        ),
        Panel("Wait for a connection", "s", quantiles("db_client_connection_wait_time_seconds", f"job, {POOL}", 0.99)),
        Panel(
            "Connections at the server",
            "short",
            (
                ("{{database}}", latest("consilium_database_connections", "database")),
                ("limit", "min(consilium_database_connections_limit)"),
            ),
        ),
        Panel(
            "Transactions",
            "cps",
            (("{{database}} {{outcome}}", most("consilium_database_transactions_total", "database, outcome")),),
        ),
        Panel(
            "Oldest transaction",
            "s",
            (("{{database}}", latest("consilium_database_oldest_transaction_seconds", "database")),),
        ),
        Panel("Deadlocks", "cps", (("{{database}}", most("consilium_database_deadlocks_total", "database")),)),
        Panel("Size", "bytes", (("{{database}}", latest("consilium_database_size_bytes", "database")),)),
        Panel(
            "Blocks found in memory",
            "percentunit",
            (("{{database}}", f"{FROM_MEMORY} / ({FROM_MEMORY} + {FROM_DISK})"),),
        ),
        Panel(
            "Log not archived",
            "s",
            (("{{database}}", latest("consilium_database_archive_overdue_seconds", "database")),),
        ),
        Panel("Clock against ours", "s", (("{{database}}", latest("consilium_clock_skew_seconds", "database")),)),
        Panel(
            "Read replica, behind by at most",
            "s",
            (("{{database}}", latest("consilium_replica_staleness_seconds", "database")),),
        ),
        Panel(
            "Retention overdue",
            "s",
            (("{{database}} {{sweep}}", latest("consilium_retention_overdue_seconds", "database, sweep")),),
        ),
        Panel(
            "Disk of the embedded installation",
            "bytes",
            (("{{state}}", latest("consilium_disk_usage_bytes", "state")),),
        ),
    ),
)

DASHBOARDS = (SERVICES, REFERRALS, MESSAGES, DELIVERIES, DATABASE)
