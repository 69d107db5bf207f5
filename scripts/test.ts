/**
 * `npm test`: builds and synthesizes what the tests boot, then runs them all. With `--node24` functions and workers run on the Node that
 * they have on AWS; with `--image-ffmpeg` workers run on the FFmpeg that they have there, and alone it means the tests that encode. The
 * conformance cases run against another emulator with `--endpoint URL`, in an account of AWS with `--account ID` and, those of HTTP API
 * events, against an API that answers with its event with `--echo URL`. Further arguments go to vitest.
 */
import { execa } from 'execa';
import { imageFfmpeg } from './image-ffmpeg.ts';
import { node24 } from './node24.ts';
import { synthesize } from './synth.ts';

const SUITES: Record<string, string[]> = {
  '--conformance': ['local/test/conformance'],
  '--archive': ['--config', 'vitest.archive.config.ts'],
  '--faults': ['--config', 'vitest.faults.config.ts'],
  '--hostile': ['--config', 'vitest.hostile.config.ts'],
};

/** `npm test` alone is to end within a quarter of an hour. `.ci/run` runs these too, on Node 24. */
const LONG = [
  'test/e2e/api-fuzz.test.ts',
  'test/e2e/archive-command.test.ts',
  'test/e2e/auto.test.ts',
  'test/e2e/cli.test.ts',
  'test/e2e/console-trouble.test.ts',
  'test/e2e/console.test.ts',
  'test/e2e/data-outlives.test.ts',
  'test/e2e/embed.test.ts',
  'test/e2e/engine-contract.test.ts',
  'test/e2e/film-in-chunks.test.ts',
  'test/e2e/growing.test.ts',
  'test/e2e/http-engine.test.ts',
  'test/e2e/in-place.test.ts',
  'test/e2e/issuers.test.ts',
  'test/e2e/mediaconvert-engine.test.ts',
  'test/e2e/pending-upload.test.ts',
  'test/e2e/permissions.test.ts',
  'test/e2e/playable.test.ts',
  'test/e2e/playback-cookies.test.ts',
  'test/e2e/presets.test.ts',
  'test/e2e/priority.test.ts',
  'test/e2e/private.test.ts',
  'test/e2e/quotas.test.ts',
  'test/e2e/resume.test.ts',
  'test/e2e/retranscode.test.ts',
  'test/e2e/verify-deployment.test.ts',
  'test/faults/lost-events.test.ts',
  'test/faults/sampled.test.ts',
  'test/faults/worker.test.ts',
  'test/media/chunk-workers.test.ts',
  'test/media/chunks.test.ts',
];

/** For `--image-ffmpeg` alone: what decodes and encodes, and whole jobs, in which FFmpeg has a user of its own. */
const ENCODING = ['test/media', 'test/e2e/pipeline.test.ts'];

const say = (line: string) => process.stderr.write(`${line}\n`);
const args = process.argv.slice(2);

/** Removes `name` and the argument behind it; returns that argument. */
function take(name: string): string | undefined {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const [, value] = args.splice(at, 2);
  if (value !== undefined && !value.startsWith('--')) return value;
  say(`test: ${name} needs a value`);
  process.exit(2);
}

const endpoint = take('--endpoint');
const account = take('--account');
const echo = take('--echo');
const onNode24 = args.includes('--node24');
const onImageFfmpeg = args.includes('--image-ffmpeg');
const [first, ...rest] = args.filter((arg) => arg !== '--node24' && arg !== '--image-ffmpeg');
// A subset of a suite's files may be named: `npm run test:conformance -- local/test/conformance/s3`.
const named = rest.some((arg) => /^(local\/)?test\//.test(arg));
const whole = onImageFfmpeg ? ENCODING : [];
const suite = first === undefined ? whole : first === '--conformance' && named ? [] : (SUITES[first] ?? [first]);
const all = suite.length === 0 && !named ? LONG.flatMap((file) => ['--exclude', file]) : [];
const reporter = endpoint || account ? ['--reporter=verbose'] : [];

await synthesize(say);
const { exitCode } = await execa('npx', ['vitest', 'run', ...suite, ...rest, ...all, ...reporter], {
  stdio: 'inherit',
  reject: false,
  env: {
    ...(endpoint !== undefined && { DROPREEL_CONFORMANCE_ENDPOINT: endpoint }),
    ...(account !== undefined && { DROPREEL_CONFORMANCE_ACCOUNT: account }),
    ...(echo !== undefined && { DROPREEL_CONFORMANCE_ECHO: echo }),
    ...(onNode24 && { DROPREEL_NODE: await node24(say) }),
    ...(onImageFfmpeg && (await imageFfmpeg(say))),
  },
});
process.exitCode = exitCode ?? 1;
