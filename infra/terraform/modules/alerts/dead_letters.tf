# Two kinds: messages that no receiver took in all their tries (Pub/Sub keeps them), and events that were taken and mean nothing here (the agent
# keeps them). One of the first is one too many; of the second a few are everyday: bots that nobody deployed from here.
resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project
  display_name          = "${var.name}: dead letters"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "A message of Pub/Sub was not taken"
    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.labels.subscription_id=one_of(${join(", ", [for name in var.dead_letter_subscriptions : "\"${name}\""])})"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  conditions {
    display_name = "More than ${var.thresholds.dead_letters} requests in ten minutes brought events that were not applied"
    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.dead_letters.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.thresholds.dead_letters
      duration        = "0s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Runbook: ${local.runbooks["dead-letters"]}"

    dynamic "links" {
      for_each = local.is_address ? [local.runbooks["dead-letters"]] : []
      content {
        display_name = "Runbook"
        url          = links.value
      }
    }
  }
}
