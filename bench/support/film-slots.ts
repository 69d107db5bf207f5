import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import { filmCloud } from '../../test/support/films.ts';
import { drop, reached, readJobs } from '../../test/support/pipeline.ts';
import { cpuOf } from './ffmpeg.ts';

/** How long a film takes from its drop to `ready` on the local cloud, whole and in chunks, by how many workers it has. */
export async function slotTimes(seconds: number, slots: readonly number[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
  try {
    // Large enough to be read in place.
    const picture = ['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=15:d=${seconds},noise=alls=8:allf=t`];
    const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '2M', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
    await cpuOf([...picture, '-f', 'lavfi', '-i', `sine=d=${seconds}`, ...codec, 'film.mp4'], directory);
    const film = join(directory, 'film.mp4');
    console.log(
      '| slots | encoded | ready after | vCPU seconds | reads of S3 | writes | load |\n|---|---|---|---|---|---|---|',
    );
    for (const count of slots) {
      const asked = { reads: 0, writes: 0 };
      const before = ({ service, operation }: GatewayCall) => {
        if (service === 's3') asked[/^(Get|Head|List)/.test(operation) ? 'reads' : 'writes'] += 1;
      };
      await using world = await filmCloud({ slots: count, chunkSeconds: seconds / 6, hooks: { before } });
      for (const isCut of count === slots[0] ? [false, true] : [true]) {
        world.cut(isCut);
        const began = performance.now();
        const id = await drop(world.cloud, `drop/ann/default/${isCut}.mp4`, { file: film });
        Object.assign(asked, { reads: 0, writes: 0 });
        await reached(world.cloud, id, 'ready', { timeoutMs: 600_000 });
        const { reads, writes } = asked;
        const [job] = await readJobs(world.cloud, id);
        const cells = [
          ...[count, isCut ? `in ${job?.part?.split('-')[1]} chunks` : 'whole'],
          `${((performance.now() - began) / 1000).toFixed(0)} s`,
          ...[job?.cost?.vcpuSeconds?.toFixed(0), reads, writes, loadavg()[0]?.toFixed(1)],
        ];
        console.log(`| ${cells.join(' | ')} |`);
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
