// The stub of a model's server as the official client sees it: model.js URL KEY.
// Prints a line for each check that does not hold, and how many there were.
'use strict'

const assert = require('node:assert')
const { Anthropic } = require('@anthropic-ai/sdk')

const [url, key] = process.argv.slice(2)
const client = new Anthropic({ baseURL: url, apiKey: key })

const request = (text) => ({
  model: 'claude-sonnet-5-5',
  max_tokens: 64,
  messages: [{ role: 'user', content: text }],
})

const whole = (text) => client.messages.create(request(text))
const streamed = (text) => client.messages.stream(request(text)).finalMessage()
const texts = (message) => message.content.filter((block) => block.type === 'text')
  .map((block) => block.text).join('')

// Each way of asking, and what a text asks the stub for.
const ways = { whole, streamed }
const right = ['hello', 'a "b" \\ ü\n', '@thinking think', '@split @crlf cut', '@cr old',
  '@odd news', '@pair é', '@big', '@tool', '@stop=max_tokens', '@stop=pause_turn', '@drip=3 slow',
  '@status=529 @after-ms=5 busy', '@status=500 @after-ms=5 broken', '@status=429 @after=1 pace',
  '@status=400 @advice=true @after-ms=5 advised', '@gzip packed',
  '@thinking @tool both']
const wrong = [
  ['@status=400 x', 400, 'invalid_request_error'], ['@status=401 x', 401, 'authentication_error'],
  ['@status=402 x', 402, 'billing_error'], ['@status=403 x', 403, 'permission_error'],
  ['@status=404 x', 404, 'not_found_error'],
  ['@status=529 @advice=false x', 529, 'overloaded_error'],
]
// A reply that breaks off, which the client does not ask for again.
const broken = ['@rst=0 x', '@close=400 x', '@stream-error=1 x', '@no-stop x']

function checkMessage (text, message) {
  const extra = (text.includes('@pair') ? '😀' : '') + (text.includes('@big') ? 'x'.repeat(70000) : '')
  const stop = /@stop=(\w+)/.exec(text)?.[1] ?? (text.includes('@tool') ? 'tool_use' : 'end_turn')

  assert.strictEqual(texts(message), `echo:${text}${extra}`)
  assert.strictEqual(message.stop_reason, stop)
  assert.strictEqual(message.model, 'claude-sonnet-5-5')
  assert.match(message.id, /^msg_/)
  assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
  if (text.includes('@tool')) {
    assert.deepStrictEqual(message.content.find((block) => block.type === 'tool_use').input, { a: 1 })
  }
}

let checks = 0
let failures = 0

async function check (name, body) {
  checks++
  try {
    await body()
  } catch (error) {
    failures++
    console.log(`${name}: ${error.message}`)
  }
}

async function main () {
  for (const [way, ask] of Object.entries(ways)) {
    for (const text of right) {
      const marked = `${text} ${way}`

      await check(marked, async () => checkMessage(marked, await ask(marked)))
    }
    for (const [text, status, type] of wrong) {
      await check(`${text} ${way}`, () => assert.rejects(ask(`${text} ${way}`), (error) => {
        assert.strictEqual(error.status, status)
        assert.strictEqual(error.error.error.type, type)
        assert.match(error.requestID, /^req_/)
        return true
      }))
    }
  }
  for (const text of broken) {
    await check(text, () => assert.rejects(streamed(text)))
  }
  await check('another key', () => assert.rejects(
    new Anthropic({ baseURL: url, apiKey: 'another' }).messages.create(request('x')),
    Anthropic.AuthenticationError))
  console.log(`${checks - failures} of ${checks} checks hold`)
  process.exitCode = failures > 0 ? 1 : 0
}

main()
