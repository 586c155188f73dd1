resource "google_monitoring_alert_policy" "turn_overhead" {
  project               = var.project
  display_name          = "${var.name}: turns wait for us"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "95 % of turns lose up to more than ${var.thresholds.turn_overhead_ms} ms beside model and tools, for ten minutes"
    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.turn_overhead.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.thresholds.turn_overhead_ms
      duration        = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_PERCENTILE_95"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Runbook: ${local.runbooks["turn-overhead"]}"

    dynamic "links" {
      for_each = local.is_address ? [local.runbooks["turn-overhead"]] : []
      content {
        display_name = "Runbook"
        url          = links.value
      }
    }
  }
}
