'use strict';
/*
 * A writer and a reader of the log format in plain JavaScript, without any
 * dependency, that behave as the Node package does: the writer takes `size`
 * once for its cursor, keeps no lock and wakes nobody; the reader polls.
 *
 * JavaScript alone cannot map a file.  So this one writes with fs.writeSync at
 * positions, frames first and then `size` as one write of 8 bytes, and reads
 * with fs.readSync: on Linux the same pages as a mapping, in the same order.
 * With PEER_PACKAGE set to the name of the real package, that does it instead.
 *
 *   node peer.js create LOG CAPACITY
 *   node peer.js append LOG [PER_COMMIT]   payloads on stdin, a line each, in
 *                                          base64; the rest is committed last
 *   node peer.js read LOG                  a line a frame: CURSOR NEXT SIZE
 *                                          BASE64; then "end CURSOR"
 *   node peer.js follow LOG COUNT          the same until COUNT have come
 *   node peer.js hold LOG                  opens it for writing, says "ready"
 *                                          and appends what comes as `append`
 *   node peer.js obey LOG MODE             opens it, MODE being read or write,
 *                                          says "ready", and does what the lines
 *                                          on stdin say: "append BASE64" (then
 *                                          "ok"), "read" (as above), "reopen",
 *                                          at the cursor of the last read; what
 *                                          is thrown is printed with the cursor
 *   node peer.js watch LOG                 opens it for reading, says "ready",
 *                                          and waits for the end of stdin
 */
const fs = require('fs');
const readline = require('readline');

const HEADER_BYTES = 24;
const WORD_BYTES = 2;
const FRAME_OVERHEAD = 2 * WORD_BYTES;
const DEFAULTS = { maxMessages: 64, maxBytes: 262144, debugChecks: false };
const POLL_MS = 2;

function shmError(code, message) {
  return Object.assign(new Error(message), { code });
}

/* A frame lies behind the file's end as it was when it was opened. */
function mappingGone() {
  return shmError('ERR_SHM_MAPPING_GONE', 'the data lies beyond the mapping');
}

/* ------------------------------------------------------------ plain files */

class PlainFile {
  constructor(path, writable, capacity) {
    try {
      this.fd = fs.openSync(path, writable ? 'r+' : 'r');
    } catch (error) {
      if (!writable || capacity === undefined) throw error;
      this.fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o664);
      fs.ftruncateSync(this.fd, Number(capacity));
    }
    this.length = fs.fstatSync(this.fd).size;
    if (this.length < HEADER_BYTES) throw new Error('smaller than a header');
    if (writable) this.mendHeader();
    this.dataOffset = Number(this.word(8));
  }

  /* What makes no sense is overwritten, in any file that is opened. */
  mendHeader() {
    const length = BigInt(this.length);
    let headerSize = this.word(0);
    let dataOffset = this.word(8);

    if (headerSize === 0n || headerSize > length) this.setWord(0, (headerSize = 24n));
    if (dataOffset === 0n || dataOffset > length) this.setWord(8, (dataOffset = headerSize));
    if (this.size() < dataOffset || this.size() > length) this.setWord(16, dataOffset);
  }

  bytes(position, length) {
    const buffer = Buffer.alloc(length);

    fs.readSync(this.fd, buffer, 0, length, position);
    return buffer;
  }

  word(position) {
    return this.bytes(position, 8).readBigUInt64LE();
  }

  setWord(position, value) {
    const buffer = Buffer.alloc(8);

    buffer.writeBigUInt64LE(value);
    fs.writeSync(this.fd, buffer, 0, 8, position);
  }

  size() {
    return this.word(16);
  }
}

class PlainWriter {
  constructor(file) {
    this.file = file;
    this.cursor = Number(file.size()); /* cached: never looked at again */
    this.pending = [];
    this.pendingBytes = 0;
  }

  allocate(size) {
    if (size <= 0) throw new RangeError('allocate size must be positive');
    const total = size + FRAME_OVERHEAD;
    const start = this.cursor + this.pendingBytes;

    if (start + total > this.file.length) throw new Error('Shared memory exhausted');
    const frame = Buffer.alloc(total);

    frame.writeUInt16LE(total & 0xffff, 0);
    frame.writeUInt16LE(total & 0xffff, total - WORD_BYTES);
    this.pending.push([frame, start]);
    this.pendingBytes += total;
    return frame.subarray(WORD_BYTES, total - WORD_BYTES);
  }

  commit() {
    if (this.pendingBytes === 0) return;
    for (const [frame, start] of this.pending) {
      fs.writeSync(this.file.fd, frame, 0, frame.length, start);
    }
    this.cursor += this.pendingBytes;
    this.file.setWord(16, BigInt(this.cursor));
    this.pending = [];
    this.pendingBytes = 0;
  }
}

class PlainIterator {
  constructor(file, startCursor) {
    this.file = file;
    this.at = Number(startCursor ?? 0);
  }

  cursor() {
    return BigInt(this.at);
  }

  committedSize() {
    return this.file.size() - BigInt(this.file.dataOffset);
  }

  /* The frame at a place: its bytes, or null where the data ends first. */
  frameAt(at, committed, debugChecks) {
    const position = this.file.dataOffset + at;

    if (at + FRAME_OVERHEAD > committed) return null;
    if (position + WORD_BYTES > this.file.length) throw mappingGone();
    const total = this.file.bytes(position, WORD_BYTES).readUInt16LE();

    if (total < FRAME_OVERHEAD) throw shmError('ERR_SHM_CURSOR', 'Invalid frame size');
    if (at + total > committed) return null;
    if (position + total > this.file.length) throw mappingGone();
    const frame = this.file.bytes(position, total);

    if (debugChecks && frame.readUInt16LE(total - WORD_BYTES) !== total) {
      throw shmError('ERR_SHM_FRAME_CORRUPT', 'prefix and suffix differ');
    }
    return frame;
  }

  nextBatch(options) {
    const { maxMessages, maxBytes, debugChecks } = { ...DEFAULTS, ...options };
    const committed = Number(this.committedSize());
    const payloads = [];
    let at = this.at;
    let bytes = 0;

    while (payloads.length < maxMessages) {
      const frame = this.frameAt(at, committed, debugChecks);

      if (frame === null || bytes + frame.length > maxBytes) break;
      payloads.push(frame.subarray(WORD_BYTES, frame.length - WORD_BYTES));
      bytes += frame.length;
      at += frame.length;
    }
    this.at = at;
    return payloads;
  }
}

function openPlain(options) {
  const file = new PlainFile(options.path, options.writable, options.capacityBytes);

  return {
    writer: options.writable ? new PlainWriter(file) : undefined,
    createIterator: (settings) => new PlainIterator(file, settings?.startCursor),
  };
}

const openLog = process.env.PEER_PACKAGE
  ? require(process.env.PEER_PACKAGE).createSharedLog
  : openPlain;

/* ---------------------------------------------------------------- commands */

async function appendLines(log, perCommit) {
  let pending = 0;

  for await (const line of readline.createInterface({ input: process.stdin })) {
    const payload = Buffer.from(line, 'base64');

    payload.copy(log.writer.allocate(payload.length));
    if (++pending === perCommit) {
      log.writer.commit();
      pending = 0;
    }
  }
  log.writer.commit();
}

/* Prints the frames that are there, at most `most`; returns how many. */
function printFrames(iterator, most) {
  const start = iterator.cursor();
  const payloads = iterator.nextBatch({ maxMessages: Math.min(most, 64) });
  let cursor = Number(start);

  for (const payload of payloads) {
    const next = cursor + payload.length + FRAME_OVERHEAD;

    fs.writeSync(1, `${cursor} ${next} ${payload.length} ${payload.toString('base64')}\n`);
    cursor = next;
  }
  return payloads.length;
}

function readAll(path) {
  const iterator = openLog({ path, writable: false }).createIterator();

  while (printFrames(iterator, Infinity) > 0);
  fs.writeSync(1, `end ${iterator.cursor()}\n`);
}

function pauseMs(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function follow(path, count) {
  const iterator = openLog({ path, writable: false }).createIterator();

  for (let left = count; left > 0; ) {
    const got = printFrames(iterator, left);

    left -= got;
    if (got === 0) await pauseMs(POLL_MS);
  }
}

function say(text) {
  fs.writeSync(1, `${text}\n`);
}

async function obey(path, writable) {
  let log = openLog({ path, writable, capacityBytes: writable ? HEADER_BYTES : undefined });
  let iterator = log.createIterator();

  const verbs = {
    append: (text) => {
      const payload = Buffer.from(text, 'base64');

      payload.copy(log.writer.allocate(payload.length));
      log.writer.commit();
      say('ok');
    },
    read: () => {
      while (printFrames(iterator, Infinity) > 0);
      say(`end ${iterator.cursor()}`);
    },
    reopen: () => {
      const startCursor = iterator.cursor();

      log = openLog({ path, writable, capacityBytes: writable ? HEADER_BYTES : undefined });
      iterator = log.createIterator({ startCursor });
      say('ready');
    },
  };

  say('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [verb, operand] = line.split(' ');

    try {
      verbs[verb](operand);
    } catch (error) {
      say(`${error.code ?? error.message} ${iterator.cursor()}`);
    }
  }
}

/* The same on a new log or one that is there. */
const openForWriting = (path, capacity) =>
  openLog({ path, writable: true, capacityBytes: capacity ?? HEADER_BYTES });

const commands = {
  create: async (path, capacity) => void openForWriting(path, Number(capacity)),
  append: (path, perCommit) => appendLines(openForWriting(path), Number(perCommit ?? 1)),
  read: async (path) => readAll(path),
  follow: (path, count) => follow(path, Number(count)),
  hold: (path) => {
    const log = openForWriting(path);

    fs.writeSync(1, 'ready\n');
    return appendLines(log, 1);
  },
  obey: (path, mode) => obey(path, mode === 'write'),
  watch: async (path) => {
    const log = openLog({ path, writable: false });

    log.createIterator().nextBatch();
    fs.writeSync(1, 'ready\n');
    for await (const chunk of process.stdin) void chunk;
  },
};

const [name, path, operand] = process.argv.slice(2);

if (!Object.hasOwn(commands, name ?? '') || path === undefined) {
  fs.writeSync(2, 'peer.js: create, append, read, follow, hold, obey or watch, then LOG\n');
  process.exitCode = 2;
} else {
  commands[name](path, operand).catch((error) => {
    fs.writeSync(2, `peer.js: ${error.code ?? 'error'}: ${error.message}\n`);
    process.exitCode = 1;
  });
}
