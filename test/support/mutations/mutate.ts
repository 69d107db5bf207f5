import { createHash } from 'node:crypto';

/** The same seed gives the same numbers, from 0 up to 1, and the next seed gives others. */
function random(seed: number): () => number {
  let count = 0;
  return () => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32BE() / 2 ** 32;
}

type Numbers = (below: number) => number;

/** Where a file's structure is written: FFmpeg's muxers put most of it into the first bytes, or into the last. */
const HEAD = 1500;

const KINDS: Readonly<Record<string, (bytes: Buffer, next: Numbers) => Buffer>> = {
  bits: (bytes, next) => {
    for (let i = 1 + next(20); i > 0; i--) change(bytes, next(bytes.length), (value) => value ^ (1 << next(8)));
    return bytes;
  },
  'bits of the head': (bytes, next) => {
    for (let i = 1 + next(8); i > 0; i--) change(bytes, next(HEAD), (value) => value ^ (1 << next(8)));
    return bytes;
  },
  noise: (bytes, next) => {
    const at = next(bytes.length);
    for (let i = 1 + next(400); i > 0; i--) change(bytes, at + i, () => next(256));
    return bytes;
  },
  zeroes: (bytes, next) => {
    const at = next(bytes.length);
    return bytes.fill(0, at, Math.min(bytes.length, at + 1 + next(2000)));
  },
  length: (bytes, next) => {
    const at = next(3) === 0 ? next(bytes.length - 4) : next(Math.min(HEAD, bytes.length - 4));
    const value = [0, 1, 0x7fffffff, 0xffffffff, next(2 ** 32)][next(5)] ?? 0;
    bytes[next(2) === 0 ? 'writeUInt32BE' : 'writeUInt32LE'](value, at);
    return bytes;
  },
  box: (bytes, next) => {
    const names = [...bytes.toString('latin1').matchAll(/[A-Za-z]{4}/g)].map(({ index }) => index);
    const at = names[next(names.length)] ?? next(bytes.length);
    // Its size before its name, or after it as in RIFF; or its name.
    const field = [at - 4, at + 4, at][next(3)] ?? at;
    for (let i = 0; i < 4; i++) change(bytes, field + i, (value) => (next(2) === 0 ? next(256) : value));
    return bytes;
  },
  truncation: (bytes, next) => bytes.subarray(0, 1 + next(bytes.length - 1)),
  'a part left out': (bytes, next) => {
    const at = next(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + next(2000))]);
  },
  'a part twice': (bytes, next) => {
    const at = next(bytes.length);
    const end = at + 1 + next(2000);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
  },
};

function change(bytes: Buffer, at: number, to: (value: number) => number): void {
  if (at >= 0 && at < bytes.length) bytes[at] = to(bytes[at] ?? 0) & 255;
}

export interface Mutation {
  kind: string;
  bytes: Buffer;
}

/** Damages a copy of a file in one way. The same seed damages the same file in the same way. */
export function mutate(file: Buffer, seed: number): Mutation {
  const number = random(seed);
  const next = (below: number) => Math.floor(number() * below);
  const kinds = Object.entries(KINDS);
  const [kind, damage] = kinds[next(kinds.length)] ?? ['none', (bytes: Buffer) => bytes];
  return { kind, bytes: damage(Buffer.from(file), next) };
}
