/** How long it takes to publish 4 rungs of 600 segments (an hour of video) over a version that viewers have, and how many requests. */
import { publishJob } from '../functions/publish-output/publish.ts';
import {
  jobIdOf,
  leaveOutput,
  nextJob,
  publishServices,
  type Shape,
  startPublished,
  watch,
} from '../test/support/published.ts';

const SHAPE: Shape = { rungs: ['1080p', '720p', '480p', '360p'], segments: 600, poster: true, oneFile: true };

await using services = await startPublished();
const n = await nextJob(services);
const result = await leaveOutput(services, n, SHAPE);
const before = services.meter.snapshot();
const started = performance.now();
await publishJob(publishServices(services), { jobId: jobIdOf(n) }, () => 900_000);
const seconds = (performance.now() - started) / 1000;
const after = services.meter.snapshot();
const { version, fetched } = await watch(services);
const requests = Object.entries(after)
  .map(([name, count]) => [name.replace('request:', ''), count - (before[name] ?? 0)] as const)
  .filter(([, count]) => count > 0)
  .sort(([, a], [, b]) => b - a);
const total = requests.reduce((sum, [, count]) => sum + count, 0);
console.log(
  `publish of ${result.files.length} files: ${seconds.toFixed(1)} s, ${total} requests (${(total / result.files.length).toFixed(2)} per file)`,
);
for (const [name, count] of requests) console.log(`  ${name} ${count}`);
console.log(`a viewer then fetched ${fetched} objects of version ${version}`);
