import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MediaView } from '../../core/contracts/http/media.ts';
import { apiAs } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { temporaryDirectory } from '../support/media.ts';
import { decode, drop, makeClip, reached } from '../support/pipeline.ts';
import { WHOLE } from './harness.ts';

/** File names as S3 takes them, that a shell, a path, an option parser, FFmpeg or a terminal reads otherwise. */
const NAMES = [
  '-i \u202egpj.\u001b[2J;$(id)|%03d`.wav',
  'pipe:1',
  'concat:a|b.wav',
  'file:///etc/passwd',
  'line\nbreak.wav',
  '"quotes" and \'quotes\'.wav',
  '💿 emoji.wav',
  '..hidden.wav',
  '%00%2e%2e%2f.wav',
  '__proto__',
];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
let file: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  file = await makeClip(join(directory.path, 'tone.wav'), '-f', 'lavfi', '-i', 'sine=frequency=440:duration=0.5');
  booted = await testCloud();
});
afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
  await directory?.[Symbol.asyncDispose]();
});

it.each(
  NAMES.slice(0, WHOLE ? undefined : 1),
)('a file named %j becomes ready, and its title contains no control character', async (name) => {
  const { cloud } = booted;
  const mediaId = await drop(cloud, `drop/eve/default/${name}`, { file });
  await reached(cloud, mediaId, 'ready');
  const api = await apiAs(cloud, 'eve');
  const { title, playback } = MediaView.parse((await api('GET', `/media/${mediaId}`)).body);
  expect(title).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
  await decode(playback?.hls ?? '');
});
