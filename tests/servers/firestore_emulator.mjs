// The npm package @firestore-emulator/server with the writes made right, and held to the real service's limits:
// a Commit is all or nothing, `exists` and `update_time` preconditions hold, a document's time of update never
// comes twice, documents, commits and ids that are too big or odd are refused, a query's order is by value and type.
// In a project whose name begins with `shaky-` one commit in six is done and its answer lost, and another
// is not done: both come back as UNAVAILABLE.
// node firestore_emulator.mjs [PORT]   prints the port it listens on, on loopback only.
import { FirestoreServer } from '@firestore-emulator/server'
import { ServerCredentials } from '@grpc/grpc-js'

const MAX_DOCUMENT = 1 << 20, MAX_COMMIT = 10 << 20, MAX_WRITES = 500
const INVALID_ARGUMENT = 3, NOT_FOUND = 5, ALREADY_EXISTS = 6, FAILED_PRECONDITION = 9, UNIMPLEMENTED = 12, UNAVAILABLE = 14

const emulator = new FirestoreServer()
// Real clients send up to 10 MiB at once; the library's own limit is 4.
Object.assign(emulator.server.options, { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
const handler = name => emulator.server.handlers.get('/google.firestore.v1.Firestore/' + name)
const nameOf = write => write.has_delete ? write.delete : write.update.name
const lost = { code: UNAVAILABLE, message: 'the answer was lost', name: 'Error' }
let last = 0, shaken = 0

function broken(write) {
  const path = nameOf(write), document = emulator.state.getDocument(path), wanted = write.current_document
  const id = path.slice(path.lastIndexOf('/') + 1)
  if (Buffer.byteLength(id) > 1500 || id === '.' || id === '..' || /^__.*__$/.test(id))
    return [INVALID_ARGUMENT, 'the id is not allowed: ' + path]
  if (wanted?.has_exists && wanted.exists !== document.metadata.hasExist)
    return [wanted.exists ? NOT_FOUND : ALREADY_EXISTS, path]
  if (wanted?.has_update_time) {
    const is = document.metadata.hasExist ? document.toV1DocumentObject().update_time : null
    if (!is || Number(wanted.update_time.seconds) !== Number(is.seconds) || wanted.update_time.nanos !== is.nanos)
      return [FAILED_PRECONDITION, 'update_time of ' + path]
  }
  return null
}

function sizeAfter(write) {
  if (write.has_delete) return 0
  const document = emulator.state.getDocument(write.update.name)
  const replaced = new Set(write.update_mask?.field_paths ?? [])
  if (!document.metadata.hasExist || !replaced.size) return write.serializeBinary().length
  // An entry of a map that is set anew counts twice: errs on the strict side.
  const kept = Object.entries(document.toV1DocumentObject().fields ?? {}).filter(([name]) => !replaced.has(name))
  return weigh(kept) + write.serializeBinary().length
}

function weigh(value) {
  if (value === null || value === undefined) return 1
  if (value instanceof Uint8Array) return value.length
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Map) return weigh(Object.fromEntries(value))
  if (typeof value !== 'object') return 8
  return Object.entries(value).reduce((sum, [key, each]) => sum + key.length + weigh(each), 0)
}

function refusal(writes) {
  if (writes.length > MAX_WRITES) return [INVALID_ARGUMENT, 'too many writes']
  if (new Set(writes.map(nameOf)).size !== writes.length) return [INVALID_ARGUMENT, 'one document is written twice']
  if (writes.reduce((sum, write) => sum + write.serializeBinary().length, 0) > MAX_COMMIT)
    return [INVALID_ARGUMENT, 'the commit is too large']
  for (const write of writes) {
    const found = broken(write)
    if (found) return found
    if (sizeAfter(write) > MAX_DOCUMENT) return [INVALID_ARGUMENT, 'the document is too large: ' + nameOf(write)]
  }
  return null
}

const commit = handler('Commit'), write = commit.func
commit.func = (call, answer) => {
  const { writes, transaction } = call.request
  const refused = transaction?.length ? [UNIMPLEMENTED, 'transactions'] : refusal(writes)
  if (refused) return answer({ code: refused[0], message: refused[1], name: 'Error' })
  const shake = call.request.database.startsWith('projects/shaky-') ? ++shaken % 6 : null
  if (shake === 1) return answer(lost)
  // Its clock has milliseconds: two commits in one would leave the same time of update.
  while (Date.now() <= last);
  last = Date.now()
  return write(call, shake === 4 ? error => answer(error ?? lost) : answer)
}

// The package orders all documents before it chooses some, and values of two types not at all.
const RANK = { null_value: 0, boolean_value: 1, integer_value: 2, double_value: 2, timestamp_value: 3, string_value: 4 }
const choose = emulator.state.v1Query.bind(emulator.state)
const COMPARE = { 1: (a, b) => a < b, 2: (a, b) => a <= b, 3: (a, b) => a > b, 4: (a, b) => a >= b, 5: (a, b) => a === b }

// The package makes each filter's value anew for each document: too slow for a session of thousands of turns.
function quick(query) {
  const where = query.has_where ? query.where : null
  const filters = where?.has_composite_filter && where.composite_filter.op === 1 ? where.composite_filter.filters : where ? [where] : []
  const tests = filters.map(({ field_filter: filter }) => {
    const type = ['string_value', 'integer_value'].find(type => filter?.value['has_' + type])
    return type && COMPARE[filter.op] && [filter.field.field_path, type, COMPARE[filter.op], filter.value[type]]
  })
  return tests.every(Boolean) ? tests : null
}

function matching(parent, query) {
  const tests = quick(query)
  if (!tests) return choose(parent, Object.create(query, { order_by: { value: [] }, has_limit: { value: false } }))
  const documents = emulator.state.getCollection(parent + '/' + query.from[0].collection_id).getAllDocuments()
  return documents.filter(document => document.metadata.hasExist && tests.every(([path, type, holds, value]) => {
    const field = document.getField(path)
    return field?.type === type && holds(field.value, value)
  }))
}

emulator.state.v1Query = (parent, query) => {
  const orders = query.order_by.map(({ field, direction }) => [field.field_path, direction === 2 ? -1 : 1])
  const keyed = matching(parent, query).map(document => [document, orders.map(([path]) => document.getField(path))])
  const found = keyed.filter(([, keys]) => keys.every(Boolean)).sort(([, a], [, b]) => {
    for (const [index, [, sign]] of orders.entries()) {
      const rank = RANK[a[index].type] - RANK[b[index].type]
      if (rank) return sign * rank
      if (a[index].lt(b[index])) return -sign
      if (b[index].lt(a[index])) return sign
    }
    return 0
  })
  return found.slice(0, query.has_limit ? query.limit.value : undefined).map(([document]) => document)
}

emulator.server.bindAsync(`127.0.0.1:${process.argv[2] || 0}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  console.log(port)
})
