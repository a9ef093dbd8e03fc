// A model's server over HTTP/2 and TLS: http2.js CERTIFICATE KEY.  Prints its
// port and runs until its input ends.  The text of a reply is the version of HTTP
// and, of the connections that have been made, the number of the call's.
'use strict'

const fs = require('node:fs')
const http2 = require('node:http2')

const [cert, key] = process.argv.slice(2).map((path) => fs.readFileSync(path))
const server = http2.createSecureServer({ cert, key, allowHTTP1: true })
const sessions = []

function answer (request, response, body) {
  if (request.httpVersion === '2.0' && !sessions.includes(request.stream.session)) {
    sessions.push(request.stream.session)
  }
  const text = `HTTP/${request.httpVersion} ${sessions.length}`
  const message = { id: 'msg_1', type: 'message', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } }

  if (!JSON.parse(body).stream) {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...message, content: [{ type: 'text', text }], stop_reason: 'end_turn' }))
    return
  }
  response.setHeader('content-type', 'text/event-stream; charset=utf-8')
  for (const event of [
    { type: 'message_start', message: { ...message, content: [] } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  response.end()
}

server.on('request', (request, response) => {
  let body = ''

  request.on('data', (bytes) => { body += bytes })
  request.on('end', () => answer(request, response, body))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
