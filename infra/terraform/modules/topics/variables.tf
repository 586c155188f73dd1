variable "project" {
  description = "The project's id."
  type        = string
}

variable "project_number" {
  description = "The project's number, by which Pub/Sub's service agent is named."
  type        = string
}

variable "region" {
  description = "Where Eventarc's trigger is."
  type        = string
}

variable "name" {
  description = "What the trigger's name begins with."
  type        = string
}

variable "labels" {
  description = "Labels of topics and subscriptions."
  type        = map(string)
}

variable "publishers" {
  description = "Topic -> who may publish to it: function or other word -> member."
  type        = map(map(string))
}

variable "subscribers" {
  description = "Members that may subscribe to agent-events."
  type        = list(string)
}

variable "events_url" {
  description = "The events function's address, which is also the audience of its tokens."
  type        = string
}

variable "bridge_url" {
  description = "The bridge's address, which is also the audience of its tokens."
  type        = string
}

variable "push_account" {
  description = "The e-mail address of the account that pushes prove themselves by."
  type        = string
}

variable "to_nats" {
  description = "Whether the agent's events go on to NATS by the bridge."
  type        = bool
}

variable "delivery" {
  description = "How platform-events reach the events function: push or eventarc."
  type        = string
}

variable "eventarc_account" {
  description = "The e-mail address of Eventarc's account; empty with push."
  type        = string
}

variable "events_service" {
  description = "The name of the events function's service, for Eventarc."
  type        = string
}
