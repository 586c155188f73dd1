# Events of the platform come late: they wait in NATS, or in a subscription whose function does not take them.
resource "google_monitoring_alert_policy" "bridge_lag" {
  project               = var.project
  display_name          = "${var.name}: events come late"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "The oldest event of a subscription waits for over ${var.thresholds.event_age_seconds} s"
    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id=one_of(${join(", ", [for name in var.push_subscriptions : "\"${name}\""])})"
      comparison      = "COMPARISON_GT"
      threshold_value = var.thresholds.event_age_seconds
      duration        = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  dynamic "conditions" {
    for_each = var.has_bridge ? [true] : []
    content {
      display_name = "Over ${var.thresholds.bridge_lag} messages wait in NATS for ten minutes"
      condition_threshold {
        filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.bridge_lag.name}\""
        comparison      = "COMPARISON_GT"
        threshold_value = var.thresholds.bridge_lag
        duration        = "600s"

        aggregations {
          alignment_period     = "120s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_PERCENTILE_99"
        }
      }
    }
  }

  # A bridge that is called every minute and says nothing has no NATS, or is not called.
  dynamic "conditions" {
    for_each = var.has_bridge ? [true] : []
    content {
      display_name = "No pull told its lag for ten minutes"
      condition_absent {
        filter   = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.bridge_lag.name}\""
        duration = "600s"

        aggregations {
          alignment_period     = "120s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Runbook: ${local.runbooks["bridge-lag"]}"

    dynamic "links" {
      for_each = local.is_address ? [local.runbooks["bridge-lag"]] : []
      content {
        display_name = "Runbook"
        url          = links.value
      }
    }
  }
}
