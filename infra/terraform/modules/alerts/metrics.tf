# Figures from log lines. /metrics cannot be asked from outside: a function has many instances behind one address, each with figures of its own,
# and they come and go. Every process writes the same facts as JSON lines, which are counted here whatever instance wrote them.
locals {
  by_service = { for target, service in var.services : target => "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${service}\"" }
  all        = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.name}-\""
}

# shared/web/turn_log.py writes one such line when a turn has ended.
resource "google_logging_metric" "turn_overhead" {
  project         = var.project
  name            = "${var.name}-turn-overhead"
  description     = "Milliseconds of a turn less model and tool time"
  filter          = "${local.all} AND jsonPayload.message=\"turn ended\""
  value_extractor = "EXTRACT(jsonPayload.overhead_ms)"

  label_extractors = {
    status = "EXTRACT(jsonPayload.status)"
  }

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "DISTRIBUTION"
    unit         = "ms"
    display_name = "Turn overhead"

    labels {
      key         = "status"
      value_type  = "STRING"
      description = "How the turn ended"
    }
  }

  # 1 ms to about 65 s.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 32
      growth_factor      = 1.4142
      scale              = 1
    }
  }
}

# functions/events/intake.py writes one line a reason for the events of a request that were not applied.
resource "google_logging_metric" "dead_letters" {
  project     = var.project
  name        = "${var.name}-dead-letters"
  description = "Requests with events that went to the agent's own dead letters, by reason"
  filter      = "${local.by_service["events"]} AND jsonPayload.message=\"events not applied\""

  label_extractors = {
    reason = "EXTRACT(jsonPayload.reason)"
  }

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "INT64"
    unit         = "1"
    display_name = "Dead letters of the agent"

    labels {
      key         = "reason"
      value_type  = "STRING"
      description = "Why"
    }
  }
}

# POST /events/publish says in its line how many events wait still.
resource "google_logging_metric" "outbox" {
  project         = var.project
  name            = "${var.name}-outbox-waiting"
  description     = "Events that wait to be published"
  filter          = "${local.by_service["events"]} AND jsonPayload.route=\"/events/publish\" AND jsonPayload.waiting>=0"
  value_extractor = "EXTRACT(jsonPayload.waiting)"

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "DISTRIBUTION"
    unit         = "1"
    display_name = "Outbox"
  }
}

# POST /nats/pull says in its line how many messages wait in NATS.
resource "google_logging_metric" "bridge_lag" {
  project         = var.project
  name            = "${var.name}-bridge-lag"
  description     = "Messages that wait in NATS after a pull"
  filter          = "${local.by_service["nats_bridge"]} AND jsonPayload.route=\"/nats/pull\" AND jsonPayload.lag>=0"
  value_extractor = "EXTRACT(jsonPayload.lag)"

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "DISTRIBUTION"
    unit         = "1"
    display_name = "Bridge lag"
  }
}
