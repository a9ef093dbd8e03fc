/*
 * Typed frames against the npm package `bendec`: random definitions, random
 * values, both directions.
 *
 *   node bendec.js [--schemas N] [--values N] [--seed N] [--fixtures]
 *
 * `shmlog` is taken from PATH, the package from NODE_PATH.  Each pair of a
 * type and a value is encoded by both sides, which has to give the same
 * bytes, and the bytes are decoded by both, which has to give the same value.
 * --fixtures takes the definitions of the package's own tests instead.
 */
'use strict'

const { execFileSync, spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { Bendec } = require('bendec')

/* ------------------------------------------------------------ random things */

let state = 1

function random() { // xorshift32
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  state >>>= 0
  return state
}

const below = count => random() % count
const chance = percent => below(100) < percent
const pick = list => list[below(list.length)]

function shuffle(list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = below(i + 1)
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

function randomBits(bits) {
  let value = BigInt(random()) << 32n | BigInt(random())

  // All magnitudes are worth as much as the large ones.
  value >>= BigInt(below(64))
  if (chance(10)) value = ~value
  return BigInt.asUintN(bits, value)
}

function randomDouble() {
  const bytes = Buffer.alloc(8)

  switch (below(6)) {
    case 0: return pick([0, -0, 1, -1, 0.1, 5e-324, 1.7976931348623157e308,
      NaN, Infinity, -Infinity, 1e21, 1e-7, 123456789012345680000, 2 ** 53])
    case 1: return below(1e6) / 1000 - 500
    case 2: return below(1 << 30) / (1 << 20)
    case 3: return random() / 2 ** 32
    case 4: return Number(BigInt.asIntN(64, randomBits(64)))
  }
  do {
    bytes.writeUInt32LE(random(), 0)
    bytes.writeUInt32LE(random(), 4)
  } while (Number.isNaN(bytes.readDoubleLE(0)))
  return bytes.readDoubleLE(0)
}

const LETTERS = ['a', 'Z', '0', ' ', '"', '\\', '/', '\n', '\t', '\x01', '\x7f',
  'ż', 'é', '\u200b', '\u202e', '日', '𝄞', '\u{1f600}', '\ufeff', '\u0085']

function randomText(most) {
  const wanted = below(most + 1)
  let text = ''

  while (Buffer.byteLength(text) < wanted) text += pick(LETTERS)
  while (Buffer.byteLength(text) > most) text = [...text].slice(0, -1).join('')
  return text
}

/* ------------------------------------------------------------- definitions */

const SIZES = { u8: 1, u16: 2, u32: 4, u64: 8, i8: 1, i16: 2, i32: 4, i64: 8,
  f32: 4, f64: 8, bool: 1 }
const KINDS = { Primitive: 1, Alias: 2, Struct: 3, Enum: 4, Union: 5, Array: 6 }

/* "kind" may be missing, a name or a number. */
function withKind(kind, definition) {
  switch (below(3)) {
    case 0: return { kind, ...definition }
    case 1: return { ...definition, kind: KINDS[kind] }
  }
  return definition
}

class Maker {
  constructor() {
    this.definitions = Object.entries(SIZES).map(([name, size]) =>
      withKind('Primitive', { name, size }))
    this.definitions.push(withKind('Alias', { name: 'char', alias: 'u8' }))
    this.types = [...Object.keys(SIZES), 'char']
    this.structs = []
    this.count = 0
  }

  name(letter) {
    const space = chance(20) ? pick(['ns', 'other.space']) + '.' : ''

    return `${space}${letter}${this.count++}`
  }

  add(kind, definition) {
    if (chance(20)) definition.description = randomText(20)
    this.definitions.push(withKind(kind, definition))
    this.types.push(definition.name)
  }

  // Bendec takes no alias of a struct as a field.
  alias() {
    const alias = pick(this.types.filter(name => !this.structs.includes(name)))

    this.add('Alias', { name: this.name('A'), alias })
  }

  array() {
    const type = chance(30) ? 'char' : pick(this.types)

    this.add('Array', { name: this.name('L'), type, length: 1 + below(6) })
  }

  enumeration(names) {
    const underlying = pick(['u8', 'u16', 'u32', 'u64', 'i16'])
    const bitflags = !names && chance(30)
    const offset = !bitflags && underlying !== 'u8' && chance(40)
      ? pick([0x100, '0x100', '256', 100]) : undefined
    const step = 1 + below(3)
    const variants = (names || Array.from({ length: 1 + below(7) },
      (_, i) => `V${i}`)).map((name, i) => {
      const value = bitflags ? (chance(20) ? 3 : 1) << i % 7 : i * step

      return [name, pick([value, value, '0x' + value.toString(16),
        '0b' + value.toString(2)]), ...(chance(20) ? ['words'] : [])]
    })
    const definition = { name: this.name('E'), underlying, variants }

    if (offset !== undefined) definition.offset = offset
    if (bitflags) definition.bitflags = true
    this.add('Enum', definition)
    return definition.name
  }

  field(name) {
    const field = { name, type: chance(15) ? 'char' : pick(this.types) }

    if (chance(25)) field.length = 1 + below(5)
    if (chance(3)) field.length = 0 // which is none
    return field
  }

  struct(first) {
    const fields = first ? [first] : []

    for (let i = below(6); i >= 0; i--) fields.push(this.field(`f${i}`))
    this.add('Struct', { name: this.name('S'), fields })
    this.structs.push(this.definitions[this.definitions.length - 1].name)
    return this.structs[this.structs.length - 1]
  }

  union() {
    const names = Array.from({ length: 1 + below(4) }, () => this.name('M'))
    const kind = this.enumeration(chance(20) ? [...names, 'Nobody'] : names)
    const nested = chance(50)
    let field = { name: 'kind', type: kind }

    if (nested) {
      const header = this.name('H')

      this.add('Struct', { name: header, fields: [
        ...(chance(50) ? [{ name: 'before', type: 'u16' }] : []), field] })
      this.structs.push(header)
      field = { name: 'header', type: header }
    }
    for (const name of names) {
      this.add('Struct', { name, fields: [field,
        ...Array.from({ length: below(5) }, (_, i) => this.field(`m${i}`))] })
      this.structs.push(name)
    }
    this.definitions.push(withKind('Union', { name: this.name('U'),
      discriminator: nested ? ['header', 'kind'] : ['kind'], members: names }))
    this.structs.push(this.definitions[this.definitions.length - 1].name)
  }

  make() {
    for (let i = 3 + below(8); i > 0; i--) {
      switch (below(6)) {
        case 0: this.alias(); break
        case 1: this.array(); break
        case 2: this.enumeration(); break
        case 3: this.union(); break
        default: this.struct()
      }
    }
    this.struct()
    return this
  }
}

/* ------------------------------------------------------------------ values */

function bendecOf(definitions) {
  const readers = {
    i8: index => [`buffer.readInt8(${index})`, index + 1],
    i16: index => [`buffer.readInt16LE(${index})`, index + 2],
    i32: index => [`buffer.readInt32LE(${index})`, index + 4],
    f32: index => [`buffer.readFloatLE(${index})`, index + 4],
  }
  const writers = {
    i8: (index, _, path) => [`buffer.writeInt8(${path}, ${index})`, index + 1],
    i16: (index, _, path) => [`buffer.writeInt16LE(${path}, ${index})`, index + 2],
    i32: (index, _, path) => [`buffer.writeInt32LE(${path}, ${index})`, index + 4],
    f32: (index, _, path) => [`buffer.writeFloatLE(${path}, ${index})`, index + 4],
  }
  const types = JSON.parse(JSON.stringify(definitions))

  return new Bendec({ types, readers, writers })
}

/* What Bendec takes as a value of a type; `lookup` is by name. */
function randomValue(lookup, name, length) {
  const definition = lookup[name]

  if (name === 'char' && length) {
    const bytes = Buffer.alloc(length)

    bytes.write(randomText(length))
    return bytes
  }
  if (length) {
    return Array.from({ length }, () => randomValue(lookup, name))
  }
  switch (name) {
    case 'bool': return chance(50)
    case 'u8': return Number(randomBits(8))
    case 'u16': return Number(randomBits(16))
    case 'u32': return Number(randomBits(32))
    case 'u64': return randomBits(64)
    case 'i8': return Number(BigInt.asIntN(8, randomBits(8)))
    case 'i16': return Number(BigInt.asIntN(16, randomBits(16)))
    case 'i32': return Number(BigInt.asIntN(32, randomBits(32)))
    case 'i64': return BigInt.asIntN(64, randomBits(64))
    case 'f32': return Math.fround(randomDouble())
    case 'f64': return randomDouble()
  }
  if (definition.alias) return randomValue(lookup, definition.alias)
  if (definition.underlying) {
    const { variants, offset = 0, underlying } = definition
    const value = chance(80)
      ? Number(pick(variants)[1]) + Number(offset)
      : Number(randomValue(lookup, underlying)) % 2 ** 50

    return terminal(lookup, underlying) === 'u64' ? BigInt(value) : value
  }
  if (definition.fields) {
    return Object.fromEntries(definition.fields.map(field =>
      [field.name, randomValue(lookup, field.type, field.length)]))
  }
  return randomValue(lookup, definition.type, definition.length)
}

function terminal(lookup, name) {
  while (lookup[name].alias) name = lookup[name].alias
  return name
}

/* Of a union: a member, with the discriminator that stands for it. */
function randomMember(lookup, union) {
  const member = pick(union.members)
  const value = randomValue(lookup, member)
  let at = value
  let type = lookup[member]

  for (const part of union.discriminator) {
    type = lookup[type.fields.find(({ name }) => name === part).type]
    if (type.variants) {
      const variant = type.variants.find(([name]) => name === member)
      const number = Number(variant[1]) + Number(type.offset || 0)

      at[part] = terminal(lookup, type.underlying) === 'u64'
        ? BigInt(number) : number
    } else {
      at = at[part]
    }
  }
  return [member, value]
}

/* The same value with what may be left out left out here and there.  Of
 * floating-point numbers that are missing Bendec makes NaN, of 64-bit ones and
 * of text it makes exceptions: they stay. */
function thinOut(lookup, name, value) {
  const definition = lookup[terminal(lookup, name)]

  if (!definition.fields) return value
  return Object.fromEntries(definition.fields.map(field => {
    const inner = value[field.name]
    let type = lookup[terminal(lookup, field.type)]

    if (type.fields && !field.length) {
      return chance(20) ? null : [field.name, thinOut(lookup, field.type, inner)]
    }
    while (type.length && type.type) type = lookup[terminal(lookup, type.type)]
    if (type.name === 'f32' || type.name === 'f64') return [field.name, inner]
    if (Array.isArray(inner) && inner.every(e => typeof e === 'number') &&
        chance(30)) {
      return chance(30) ? null : [field.name, inner.slice(0, below(inner.length + 1))]
    }
    if (typeof inner === 'number' && chance(10)) return null
    return [field.name, inner]
  }).filter(entry => entry))
}

/* --------------------------------------------------------------------- JSON */

/* As shmlog has it: integers in full, text for bytes of char, strings for
 * what JSON has no numbers for. */
function toJson(value) {
  if (typeof value === 'bigint') return value.toString()
  if (Buffer.isBuffer(value)) {
    return JSON.stringify(value.toString('utf8').replace(/\0+$/, ''))
  }
  if (Array.isArray(value)) return '[' + value.map(toJson).join() + ']'
  if (typeof value === 'object') {
    return '{' + Object.entries(value).map(([key, inner]) =>
      JSON.stringify(key) + ':' + toJson(inner)).join() + '}'
  }
  if (typeof value !== 'number') return JSON.stringify(value)
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`
}

/* JSON with its numbers as they are written, for comparing; a number with a
 * fraction by its value. */
function plain(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, token => {
    if (token[0] === '"') return token
    if (/^-?\d+$/.test(token)) return `"#${token}"`
    return `"#${Number(token)}"`
  })

  return JSON.stringify(JSON.parse(marked))
}

/* Numbers of f32 are shorter in shmlog's output than as doubles. */
function sameNumbers(lookup, name, length, wanted, found) {
  const type = terminal(lookup, name)
  const definition = lookup[type]

  if (length && !(name === 'char')) {
    return wanted.map((inner, i) =>
      sameNumbers(lookup, name, 0, inner, found && found[i]))
  }
  if (type === 'f32' && typeof wanted === 'number' &&
      Number.isFinite(wanted) && typeof found === 'number' &&
      Math.fround(found) === wanted) {
    return found
  }
  if (definition.fields && !definition.size) {
    return Object.fromEntries(definition.fields.map(field =>
      [field.name, sameNumbers(lookup, field.type, field.length,
        wanted[field.name], found && found[field.name])]))
  }
  if (definition.length && definition.type && definition.type !== 'char') {
    return sameNumbers(lookup, definition.type, definition.length, wanted, found)
  }
  return wanted
}

/* ---------------------------------------------------------------- comparing */

const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm')
  ? '/dev/shm' : os.tmpdir(), 'shmlog-bendec-'))
const inFolder = name => path.join(folder, name)

function shmlog(args, input) {
  const result = spawnSync('shmlog', args, { input, maxBuffer: 1 << 28 })

  if (result.status !== 0) {
    throw new Error(`shmlog ${args.join(' ')}: status ${result.status}: ` +
      result.stderr)
  }
  return result.stdout
}

function frame(payload) {
  const size = Buffer.alloc(2)

  size.writeUInt16LE(payload.length + 4)
  return Buffer.concat([size, payload, size])
}

function fail(what, details) {
  throw new Error(`${what}\n` + Object.entries(details).map(([key, value]) =>
    `  ${key}: ${value}`).join('\n') + `\n  definitions: ${inFolder('')}`)
}

function compareBytes(name, lines, wanted, found) {
  let at = 0

  if (wanted.equals(found)) return
  for (const line of lines) {
    const size = wanted.readUInt16LE(at)

    if (!wanted.subarray(at, at + size).equals(found.subarray(at, at + size))) {
      fail('other bytes', { type: name, value: line,
        wanted: wanted.subarray(at, at + size).toString('hex'),
        found: found.subarray(at, at + size).toString('hex') })
    }
    at += size
  }
  fail('more bytes', { type: name })
}

/* Both directions for values of one type. */
function compareType(bendec, lookup, schemas, name, count) {
  const log = inFolder('log')
  const type = [...schemas.flatMap(file => ['--schema', file]), '--type', name]
  const frames = []
  const lines = []
  const members = []

  for (let i = 0; i < count; i++) {
    const definition = lookup[name]
    const [member, whole] = definition.members
      ? randomMember(lookup, definition)
      : [name, randomValue(lookup, name)]
    const value = definition.members ? whole : thinOut(lookup, name, whole)
    // Text is not padded for JSON; Bendec wants all of it.
    frames.push(frame(bendec.encodeAs(value, name)))
    lines.push(toJson(value))
    members.push(member)
  }
  const bytes = Buffer.concat(frames)
  const text = lines.join('\n') + '\n'

  // Bendec's bytes to values.
  fs.rmSync(log, { force: true })
  shmlog(['append', '-i', 'frames', '--create', '1M', log], bytes)
  const options = [...type, log]
  const numbers = shmlog(['dump', '--enum-numbers', ...options])
  const printed = numbers.toString().trimEnd().split('\n')

  frames.forEach((encoded, i) => {
    const decoded = bendec.decodeAs(encoded.subarray(2, -2), name)
    const wanted = sameNumbers(lookup, members[i], 0, decoded,
      JSON.parse(printed[i]))

    if (plain(toJson(wanted)) !== plain(printed[i])) {
      fail('another value', { type: name, wanted: toJson(wanted),
        found: printed[i] })
    }
  })

  // Values to Bendec's bytes: the ones given to it, what dump printed, and
  // the same with names.
  for (const input of [text, numbers, shmlog(['dump', ...options])]) {
    fs.rmSync(log, { force: true })
    shmlog(['append', '--create', '1M', ...type, log], input)
    compareBytes(name, lines, bytes, shmlog(['dump', '-o', 'frames', log]))
  }
  return count
}

/* One set of definitions: each of its structs and unions. */
function compareAll(definitions, names, values) {
  const lookup = Object.fromEntries(definitions.map(definition =>
    [definition.name, definition]))
  const bendec = bendecOf(definitions)
  const shuffled = shuffle([...definitions])
  const cut = below(shuffled.length + 1)
  const schemas = [shuffled.slice(0, cut), shuffled.slice(cut)].map((part, i) => {
    fs.writeFileSync(inFolder(`types${i}.json`), JSON.stringify(part, null, 1))
    return inFolder(`types${i}.json`)
  })
  let pairs = 0

  for (const name of names) {
    pairs += compareType(bendec, lookup, schemas, name, values)
    const size = JSON.parse(shmlog(['schema', ...schemas, name, '-o', 'json'])).size

    if (size !== bendec.getSize(name)) {
      fail('another size', { type: name, wanted: bendec.getSize(name), found: size })
    }
  }
  return pairs
}

function fixtures(values) {
  const sets = require('bendec/dist/tests/fixtures')
  let pairs = 0

  for (const [set, definitions] of Object.entries(sets)) {
    if (!Array.isArray(definitions)) continue
    const strict = definitions.filter(({ name }) => name)
    const names = strict.filter(({ fields, members }) => fields || members)
      .map(({ name }) => name)

    if (names.length === 0) continue
    const count = compareAll(strict, names, values)

    console.log(`fixture ${set}: ${names.join(', ')}: ${count} pairs`)
    pairs += count
  }
  return pairs
}

function main(args) {
  const number = (name, otherwise) => {
    const at = args.indexOf(name)

    return at < 0 ? otherwise : Number(args[at + 1])
  }
  const seed = number('--seed', Date.now() % 2 ** 31)
  const values = number('--values', 20)
  let pairs = 0

  state = seed || 1
  console.log(`seed ${seed}`)
  execFileSync('shmlog', ['--version'])
  if (args.includes('--fixtures')) {
    pairs = fixtures(values)
  } else {
    for (let n = number('--schemas', 50); n > 0; n--) {
      const { definitions, structs } = new Maker().make()

      pairs += compareAll(definitions, structs.slice(-3), values)
    }
  }
  fs.rmSync(folder, { recursive: true })
  console.log(`${pairs} pairs agree`)
}

main(process.argv.slice(2))
