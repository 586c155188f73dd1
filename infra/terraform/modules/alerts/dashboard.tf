# One page: what users meet, what it costs us, what waits.
locals {
  cloud_run = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=starts_with(\"${var.name}-\")"
  pubsub    = "resource.type=\"pubsub_subscription\""
  by_name   = ["resource.label.service_name"]

  charts = [
    { title = "Requests a second", metric = "${local.cloud_run} AND metric.type=\"run.googleapis.com/request_count\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group = local.by_name },
    { title = "Failed requests a second (5xx)", metric = "${local.cloud_run} AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\"", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", group = local.by_name },
    { title = "Time of a request, p95, ms (a stream is as long as its turn)", metric = "${local.cloud_run} AND metric.type=\"run.googleapis.com/request_latencies\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", group = local.by_name },
    { title = "Turn overhead, p95, ms", metric = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.turn_overhead.name}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", group = ["metric.label.status"] },
    { title = "Turns a second", metric = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.turn_overhead.name}\"", aligner = "ALIGN_RATE", reducer = "REDUCE_COUNT", group = ["metric.label.status"] },
    { title = "Instances", metric = "${local.cloud_run} AND metric.type=\"run.googleapis.com/container/instance_count\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group = local.by_name },
    { title = "Memory, share, p99", metric = "${local.cloud_run} AND metric.type=\"run.googleapis.com/container/memory/utilizations\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_99", group = local.by_name },
    { title = "Processor, share, p99", metric = "${local.cloud_run} AND metric.type=\"run.googleapis.com/container/cpu/utilizations\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_99", group = local.by_name },
    { title = "Oldest event that waits in Pub/Sub, s", metric = "${local.pubsub} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\"", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group = ["resource.label.subscription_id"] },
    { title = "Events that wait in the outbox, p99", metric = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.outbox.name}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_99", group = [] },
    { title = "Messages that wait in NATS, p99", metric = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.bridge_lag.name}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_99", group = [] },
    { title = "Dead letters of the agent, by reason", metric = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.dead_letters.name}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = ["metric.label.reason"] },
  ]
}

resource "google_monitoring_dashboard" "agent" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = var.name
    gridLayout = {
      columns = "2"
      widgets = [for chart in local.charts : {
        title = chart.title
        xyChart = {
          dataSets = [{
            plotType = "LINE"
            timeSeriesQuery = {
              timeSeriesFilter = {
                filter = chart.metric
                aggregation = {
                  alignmentPeriod    = "60s"
                  perSeriesAligner   = chart.aligner
                  crossSeriesReducer = chart.reducer
                  groupByFields      = chart.group
                }
              }
            }
          }]
        }
      }]
    }
  })
}
