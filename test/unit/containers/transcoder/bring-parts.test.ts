import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { bringParts, type Parts } from '../../../../containers/transcoder/chunks/bring.ts';
import type { EncodePlan } from '../../../../core/media/encode-plan.ts';

const RUNGS = ['1080p', '720p', '360p'];
const plan = { video: { rungs: RUNGS.map((name) => ({ name })) } } as unknown as EncodePlan;
const chunks = [0, 1].map((index) => ({ index, pictures: 25, renditions: RUNGS.map((file) => ({ file, bytes: 9 })) }));

it('asks for the first chunk of every rendition before one of them has come', async () => {
  const out = await mkdtemp(join(tmpdir(), 'dropreel-bring-'));
  onTestFinished(() => rm(out, { recursive: true }));
  const asked: string[] = [];
  const meeting = new AbortController();
  const all = once(meeting.signal, 'abort').then((): never => {
    throw new Error('all were asked for');
  });
  const open: Parts['open'] = (part, name) => {
    if (asked.push(`${part} ${name}`) === 4) meeting.abort();
    return all;
  };
  const parts = { cut: [], chunks, sound: { renditions: [] }, open } as unknown as Parts;
  const scratch = { out, times: join(out, 'times') } as Parameters<typeof bringParts>[1];
  await expect(bringParts(plan, scratch, parts, new AbortController().signal)).rejects.toThrow('all were asked for');
  expect(asked.toSorted()).toEqual(['0 1080p.whole.mp4', '0 360p.whole.mp4', '0 720p.whole.mp4', '0 pictures.times']);
}, 5000);
