'use strict';
/*
 * The Node package at the work of library.c:
 *
 *   node package.js PACKAGE write|read LOG COUNT BYTES
 *
 * Prints the nanoseconds that it took, without opening and closing.  PACKAGE
 * is a name or a path.  With PACKAGE alone it only says whether that loads.
 */
const [packageName, work, path, count, bytes] = process.argv.slice(2);
const { createSharedLog } = require(packageName);

function write(log) {
  const payload = Buffer.alloc(Number(bytes), 'x');
  const begin = process.hrtime.bigint();

  for (let n = 0; n < Number(count); n++) {
    payload.copy(log.writer.allocate(payload.length));
    log.writer.commit();
  }
  return process.hrtime.bigint() - begin;
}

function readAll(iterator) {
  let frames = 0;
  let sum = 0;

  for (;;) {
    const batch = iterator.nextBatch({ maxMessages: 64 });

    if (batch.length === 0) break;
    for (const frame of batch) sum += frame[0];
    frames += batch.length;
  }
  return { frames, sum };
}

/* The first pass maps the pages and warms the compiler. */
function read(log) {
  const iterator = log.createIterator();

  readAll(iterator);
  iterator.seek(0n);
  const begin = process.hrtime.bigint();
  const { frames } = readAll(iterator);
  const span = process.hrtime.bigint() - begin;

  if (frames !== Number(count)) throw new Error(`${frames} frames`);
  iterator.close();
  return span;
}

if (work !== undefined) {
  const writable = work === 'write';
  const log = createSharedLog({ path, writable, capacityBytes: require('fs').statSync(path).size });

  console.log(String(writable ? write(log) : read(log)));
  log.close();
}
