# Who gets through to a function. Whoever it is comes by the load balancer or from inside (ingress_settings): nothing here is reached from the
# internet by an address of its own.

# Users show their own JWT or API key in Authorization; Cloud Run would refuse it as no token of Google's, so it asks nobody, and the function
# checks each request (AUTH_MODE=jwt).
resource "google_cloud_run_v2_service_iam_member" "users" {
  for_each = toset(var.public_functions)

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.value].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Pushes, the scheduler, and services that were named: Cloud Run checks their tokens, and the function does again (SERVICE_ACCOUNTS).
locals {
  invocations = merge([
    for target, accounts in var.invokers : { for word, account in accounts : "${target}/${word}" => { target = target, account = account } }
  ]...)
}

resource "google_cloud_run_v2_service_iam_member" "services" {
  for_each = local.invocations

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.value.target].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${each.value.account}"
}
