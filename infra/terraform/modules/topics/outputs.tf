output "topics" {
  description = "The topics' full names."
  value       = { for name, topic in google_pubsub_topic.topic : name => topic.id }
}

output "dead_letter_subscriptions" {
  description = "Where messages wait that no receiver took."
  value       = [for subscription in google_pubsub_subscription.dead_letters : subscription.name]
}

output "push_subscriptions" {
  description = "The subscriptions that push to functions."
  value       = [for subscription in google_pubsub_subscription.push : subscription.name]
}

output "eventarc_subscription" {
  description = "The subscription that Eventarc has made; empty with push. Its tokens' audience is what events.eventarc_audience takes."
  value       = var.delivery == "eventarc" ? google_eventarc_trigger.platform_events[0].transport[0].pubsub[0].subscription : ""
}
