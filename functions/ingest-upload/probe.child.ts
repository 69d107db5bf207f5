/** The parser's process: it asks its parent for bytes and reports what it found. See parse-apart.ts. */
import type { Read } from './blocks.ts';
import { moovIsMissing } from './boxes.ts';
import { type Finding, refused } from './finding.ts';
import type { FromParser, ToParser } from './parse-apart.ts';
import { probe } from './probe.ts';

const waiting = new Map<number, (bytes: Uint8Array) => void>();
let reads = 0;

const tell = (message: FromParser) => process.send?.(message);

const read: Read = (start, end) => {
  const id = ++reads;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    tell({ read: { id, start, end } });
  });
};

async function examine(size: number): Promise<Finding | null> {
  if (await moovIsMissing(read, size)) {
    return refused('corrupt', 'The file is an MP4 without its index (moov): the recording or the upload was cut off.');
  }
  return probe(read, size);
}

process.on('message', (message: ToParser) => {
  if ('size' in message) {
    void examine(message.size)
      .catch(() => null)
      .then((finding) => tell({ finding }));
    return;
  }
  const resolve = waiting.get(message.id);
  waiting.delete(message.id);
  resolve?.(message.bytes);
});
process.on('disconnect', () => process.exit());
