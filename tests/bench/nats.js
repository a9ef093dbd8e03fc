'use strict';
/*
 * The npm package nats at the work of the relay:
 *
 *   node nats.js PACKAGE push|pull URL STREAM COUNT BYTES
 *
 * push publishes so that nothing is stored twice, by an identifier for each
 * message, with 2000 on their way; pull reads all of a stream in order.  Prints
 * the nanoseconds that it took, without connecting.  PACKAGE is a name or a path.
 * With PACKAGE alone it only says whether that loads.
 */
const [packageName, work, url, stream, count, bytes] = process.argv.slice(2);
const { connect, nanos } = require(packageName);
const IN_FLIGHT = 2000;

async function push(connection) {
  const manager = await connection.jetstreamManager();

  await manager.streams.add({ name: stream, subjects: [stream], duplicate_window: nanos(120000) });
  const publisher = connection.jetstream();
  const payload = Buffer.alloc(Number(bytes), 'x');
  const begin = process.hrtime.bigint();

  for (let sent = 0; sent < Number(count); ) {
    const acks = [];

    for (; acks.length < IN_FLIGHT && sent < Number(count); sent++)
      acks.push(publisher.publish(stream, payload, { msgID: String(sent) }));
    await Promise.all(acks);
  }
  return process.hrtime.bigint() - begin;
}

async function pull(connection) {
  const consumer = await connection.jetstream().consumers.get(stream);
  const begin = process.hrtime.bigint();
  const messages = await consumer.consume({ max_messages: IN_FLIGHT });
  let seen = 0;

  for await (const message of messages) {
    if (message.seq !== ++seen) throw new Error(`message ${message.seq} in place of ${seen}`);
    if (seen === Number(count)) break;
  }
  return process.hrtime.bigint() - begin;
}

async function main() {
  const connection = await connect({ servers: url });

  console.log(String(await (work === 'push' ? push : pull)(connection)));
  process.exit(0);
}

if (work !== undefined) main();
