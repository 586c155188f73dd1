# Every alert says where it is told what to do: an anchor of docs/operations.md, as the page itself or a path in the repository.
locals {
  is_address = startswith(var.runbooks, "https://")
  runbooks = {
    for anchor in ["error-rate", "turn-overhead", "dead-letters", "bridge-lag"] : anchor => "${var.runbooks}#${anchor}"
  }
}
