/**
 * The time from the end of an upload to ffmpeg's first frame, on a warm local cloud; and the requests that one video costs, with and
 * without many progress updates.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootCloud } from '../local/boot.ts';
import { LOCAL_CLOUD } from '../scripts/local-cloud.ts';
import { drop, reached, testVideo } from '../test/support/pipeline.ts';

const RUNS = 9;
const folder = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
const stateDir = join(folder, 'cloud');
const cloud = await bootCloud({ ...LOCAL_CLOUD, assembly: 'cdk.out', stateDir });

async function firstFrameAt(mediaId: string): Promise<number> {
  const logs = join(stateDir, 'batch', 'logs');
  for (const name of await readdir(logs)) {
    for (const line of (await readFile(join(logs, name), 'utf8')).split('\n')) {
      if (line.includes('"first frame"') && line.includes(mediaId)) return Date.parse(JSON.parse(line).time);
    }
  }
  throw new Error(`no log of ${mediaId} tells of a first frame`);
}

function requests(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const groups: Record<string, number> = {};
  for (const [name, amount] of Object.entries(after)) {
    const [kind = '', service = '', operation = ''] = name.split(':');
    if (kind !== 'request' && !name.startsWith('lambda:requests')) continue;
    // The number of empty polls does not depend on the number of videos.
    if (/^(ReceiveMessage|GetRecords|GetShardIterator|DescribeStream)$/.test(operation)) continue;
    const group = kind === 'request' ? service : 'lambda';
    groups[group] = (groups[group] ?? 0) + amount - (before[name] ?? 0);
  }
  return groups;
}

try {
  const short = await testVideo(join(folder, 'short.mp4'), { seconds: 2, size: '320x180' });
  const waits: number[] = [];
  let perVideo: Record<string, number> = {};
  for (let run = 0; run <= RUNS; run++) {
    const before = cloud.meter.snapshot();
    const mediaId = await drop(cloud, `drop/bench/default/${run}.mp4`, { file: short });
    const dropped = Date.now();
    await reached(cloud, mediaId, 'ready');
    perVideo = requests(before, cloud.meter.snapshot());
    // The first run warms the functions.
    if (run > 0) waits.push((await firstFrameAt(mediaId)) - dropped);
  }
  const sorted = waits.toSorted((a, b) => a - b);
  console.log(
    `drop to first frame, ms: median ${sorted[Math.floor(RUNS / 2)]}, min ${sorted[0]}, max ${sorted.at(-1)} (${RUNS} runs)`,
  );

  const long = await testVideo(join(folder, 'long.mp4'), { seconds: 60, size: '1280x720' });
  const before = cloud.meter.snapshot();
  const mediaId = await drop(cloud, 'drop/bench/default/long.mp4', { file: long });
  const started = Date.now();
  await reached(cloud, mediaId, 'ready', { timeoutMs: 600_000 });
  const seconds = (Date.now() - started) / 1000;
  console.log('\n| requests | 2 s clip, one rung | 60 s clip, three rungs |');
  console.log('|---|---|---|');
  const perLong = requests(before, cloud.meter.snapshot());
  for (const group of Object.keys(perLong).toSorted())
    console.log(`| ${group} | ${perVideo[group] ?? 0} | ${perLong[group]} |`);
  console.log(`\nThe long one took ${seconds.toFixed(0)} s; progress may write once per 2 s of it.`);
} finally {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
}
