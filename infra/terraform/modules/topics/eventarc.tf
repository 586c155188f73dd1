# The other way of delivering platform-events, in place of the push subscription and never beside it: the function would take both, and know
# the event the second time, but each would be paid for. Eventarc's subscription has no dead-letter topic: what a store that is down for a day
# does not take is gone.
resource "google_eventarc_trigger" "platform_events" {
  count = var.delivery == "eventarc" ? 1 : 0

  project         = var.project
  name            = "${var.name}-platform-events"
  location        = var.region
  service_account = var.eventarc_account
  labels          = var.labels

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.topic["platform-events"].id
    }
  }

  destination {
    cloud_run_service {
      service = var.events_service
      region  = var.region
      path    = "/events"
    }
  }
}
