# The same file that `firebase deploy` and the tests read: what the adapter asks for, and nothing more, as each index costs each write.
locals {
  declared = jsondecode(file(var.indexes_file))
  composite_indexes = {
    for index in local.declared.indexes :
    "${index.collectionGroup}/${join("/", [for field in index.fields : "${field.fieldPath}:${field.order}"])}" => index
    if var.kind == "firestore"
  }
  fields = {
    for field in local.declared.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field
    if var.kind == "firestore"
  }
}

resource "google_firestore_index" "composite" {
  for_each = local.composite_indexes

  project     = var.project
  database    = google_firestore_database.sessions[0].name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.fieldPath
      order      = fields.value.order
    }
  }
}

resource "google_firestore_field" "single" {
  for_each = local.fields

  project    = var.project
  database   = google_firestore_database.sessions[0].name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  # Without an index in it: none, not even those that every field has by itself.
  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        order       = indexes.value.order
        query_scope = indexes.value.queryScope
      }
    }
  }

  # Removes documents whose time in this field is past, up to a day late.
  dynamic "ttl_config" {
    for_each = lookup(each.value, "ttl", false) ? [true] : []
    content {}
  }
}
