# What has to happen without a request, by Cloud Scheduler. All take services alone.
locals {
  jobs = merge(
    {
      publish = {
        description = "Publishes events that a process left in the outbox"
        schedule    = var.schedules.publish
        service     = local.urls["events"]
        path        = "/events/publish?seconds=20"
        seconds     = 60
        retries     = 0
      }
      upkeep = {
        description = "Ends turns that died with their instance, and removes what is over its time"
        schedule    = var.schedules.upkeep
        service     = local.urls["events"]
        path        = "/events/upkeep?seconds=50"
        seconds     = 120
        retries     = 0
      }
      # A run that is not complete is gone on with by the next.
      retention = {
        description = "Removes files, sessions and objects that are over their time"
        schedule    = var.schedules.retention
        service     = local.urls["artifacts"]
        path        = "/artifacts/retention?seconds=1500"
        seconds     = 1800
        retries     = 2
      }
    },
    var.nats.enabled ? {
      pull = {
        description = "Hands on what waits in NATS"
        schedule    = var.schedules.pull
        service     = local.urls["nats_bridge"]
        path        = "/nats/pull?seconds=50"
        seconds     = 120
        retries     = 0
      }
    } : {},
  )
}
