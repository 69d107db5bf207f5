import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { apiAs } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { drop, reached, readMedia, sweepNow, testVideo } from '../support/pipeline.ts';
import { playForever } from '../support/player.ts';

/** `DROPREEL_KILL_POINTS=all` kills at every call; the suite takes every twentieth, so that it stays short. */
const STRIDE = process.env.DROPREEL_KILL_POINTS === 'all' ? 1 : 20;

it('a player meets no gap, no mixture and no broken segment, whenever the publisher is killed', async () => {
  let killAt = Number.POSITIVE_INFINITY;
  let calls = 0;
  let kills = 0;
  let kill = () => {};
  await using booted = await testCloud({
    // The calls of a publish are counted, and a double of its message makes more of them.
    adverse: false,
    hooks: {
      before: ({ service, principal }) => {
        if (service !== 's3' || principal.type !== 'role' || !/publishoutput/i.test(principal.arn)) return;
        calls += 1;
        if (calls !== killAt) return;
        kills += 1;
        kill();
      },
    },
  });
  const { cloud } = booted;
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-playable-'));
  try {
    kill = () => cloud.lambda.kill('publishoutput');
    const file = await testVideo(join(folder, 'clip.mp4'), { seconds: 1, size: '128x72', rate: 10 });
    const mediaId = await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, mediaId, 'ready');
    const perPublish = calls;
    const player = playForever(`${cloud.deliveryUrl}/${mediaKeys('ann', mediaId).master}`);
    let version = 1;
    for (let point = 1; point <= perPublish; point += STRIDE) {
      version += 1;
      const killed = kills;
      calls = 0;
      killAt = point;
      // A new token each time: the clock runs ahead.
      const api = await apiAs(cloud, 'ann');
      expect((await api('POST', `/media/${mediaId}/retranscode`)).status).toBe(202);
      await sweepNow(cloud);
      await settle(version, killed);
    }
    await player.played(`v${version}`);
    const { rounds, fetches, faults, versions } = await player.close();
    console.log(`${kills} kill points of ${perPublish}, ${rounds} rounds, ${fetches} fetches`);
    expect(faults).toEqual([]);
    expect(kills).toBe(Math.ceil(perPublish / STRIDE));
    expect(versions.at(-1)).toBe(`v${version}`);

    /** A killed publisher's message is invisible for its time-out; what brings it back here is the sweep, after 20 minutes. */
    async function settle(expected: number, before: number): Promise<void> {
      let recovered = false;
      const deadline = Date.now() + 60_000;
      for (;;) {
        const media = await readMedia(cloud, mediaId);
        if (Date.now() > deadline)
          throw new Error(`version ${expected} is not there after 60 s: ${JSON.stringify(media)}`);
        if (media?.state === 'ready' && media.current?.version === expected) return;
        if (kills > before && !recovered) {
          recovered = true;
          cloud.clock.advance(20 * 60_000);
          await sweepNow(cloud);
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 1_800_000);
