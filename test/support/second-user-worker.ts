/** A worker that is given a hostile FFmpeg: prints what that one saw. Run with credentials in its environment, as ECS gives them. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnFfmpeg, type Tools } from '../../containers/transcoder/ffmpeg/run.ts';
import { letWrite, takeOver } from '../../containers/transcoder/hand-over.ts';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { withSecondUser } from '../../containers/transcoder/users.ts';

const [ffmpeg = '', root = '', port = '', who = ''] = process.argv.slice(2);
const own: Tools = { ffmpeg, ffprobe: ffmpeg };
const tools = who === 'same-user' ? own : await withSecondUser(own);
const scratch = await openScratch(root, tools.mediaId);
await letWrite(tools, scratch.out);

const stop = new AbortController();
const child = spawnFfmpeg(tools, ['stay', port], { cwd: scratch.out, signal: stop.signal });
const [text] = await once(child.stdout.setEncoding('utf8'), 'data');
stop.abort();
const { signal } = await Promise.race([child, delay(10_000, { signal: 'none: it went on' }, { ref: false })]);
const taken = await takeOver(tools, scratch.out).then(
  () => 'taken',
  (error: Error) => error.message,
);
console.log(JSON.stringify({ ...JSON.parse(text), endedBy: signal, taken }));
process.exit();
