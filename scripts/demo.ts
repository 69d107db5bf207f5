/** `npm run demo`: drops files into a local cloud made from the synthesized app, and shows the results. */
import { setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EngineChoice } from '../core/contracts/engines.ts';
import { printable } from '../core/contracts/text.ts';
import { bootCloud } from '../local/boot.ts';
import { announce, exportBlock } from './cloud-file.ts';
import { CREATOR, dropFile, setEngine } from './demo/drop.ts';
import { followMedia } from './demo/follow.ts';
import { parseOptions, USAGE, UsageError } from './demo/options.ts';
import { openProgress } from './demo/progress.ts';
import { collectReport, type Report } from './demo/report.ts';
import { makeSamples } from './demo/samples.ts';
import { renderTable } from './demo/table.ts';
import { consoleLink } from './dev/console-link.ts';
import { HTTP_ENGINE, startHttpEndpoint } from './http-endpoint.ts';
import { LOCAL_CLOUD } from './local-cloud.ts';
import { synthesize, synthesizeIfChanged } from './synth.ts';

const STATE_ROOT = '.dropreel';
const OUTPUT_ROOT = 'dropreel-output';

const GPU = { gpuEngine: { maxVcpus: 8 } };
const HTTP = { httpEngine: HTTP_ENGINE };
const MEDIA_CONVERT = { mediaConvert: true };
/** What cdk.json has in a deployment with the engine, where it is not in each; with all of them where there is to be a choice. */
const ENGINE_CONFIGURATION: Partial<Record<EngineChoice, Record<string, unknown>>> = {
  'batch-gpu': GPU,
  http: HTTP,
  mediaconvert: MEDIA_CONVERT,
  auto: { ...GPU, ...HTTP, ...MEDIA_CONVERT },
};

async function main(argv: string[]): Promise<number> {
  const options = await parseOptions(argv);
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const say = (text: string) => process.stderr.write(`${printable(text)}\n`);
  await mkdir(STATE_ROOT, { recursive: true, mode: 0o700 });
  const stateDir = await mkdtemp(join(STATE_ROOT, 'demo-'));
  const outputDir = resolve(OUTPUT_ROOT, runName());
  const stop = new AbortController();
  // One for each file that is followed.
  setMaxListeners(0, stop.signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    const cloudDir = join(stateDir, 'cloud');
    await mkdir(cloudDir);
    const more = options.engine && ENGINE_CONFIGURATION[options.engine];
    const app = { outdir: join(stateDir, 'cdk.out'), ...(more && { more }) };
    const assembly = more ? await synthesize(say, app) : await synthesizeIfChanged(say);
    const files = options.files.length > 0 ? options.files : await makeSamples(join(stateDir, 'samples'), say);
    say('booting the local cloud from the synthesized template');
    const log = options.verbose ? say : () => {};
    const http = more && 'httpEngine' in more ? await startHttpEndpoint(cloudDir, { log }) : undefined;
    const cloud = await bootCloud({ ...LOCAL_CLOUD, assembly, stateDir: cloudDir, ...http?.beside, log });
    try {
      if (options.engine) await setEngine(cloud, options.engine);
      const progress = openProgress(process.stderr, files);
      const reports: Report[] = await Promise.all(
        files.map(async (file, index) => {
          const before = Date.now();
          const dropped = await dropFile(cloud, file, index, (state) => progress.update(index, state));
          const media = await followMedia(cloud, dropped, (state) => progress.update(index, state), stop.signal);
          const report = await collectReport(cloud, { file, index, ...media, dropped, before, outputDir });
          if (options.json) process.stdout.write(`${JSON.stringify(report.line)}\n`);
          return report;
        }),
      );
      progress.close();
      const table = renderTable(reports, options.stayUp, cloud.meter.snapshot());
      (options.json ? process.stderr : process.stdout).write(table);
      if (options.stayUp && !stop.signal.aborted) {
        const withdraw = await announce(cloud);
        say(
          `\nThe cloud stays up for player and console. Ctrl-C ends it. For any AWS client:\n\n${exportBlock(cloud)}`,
        );
        const link = await consoleLink(cloud, { creatorId: CREATOR });
        if (link) say(`\nThe console, signed in, with these files; the address works once:\n\n  ${link}`);
        await new Promise<void>((done) => stop.signal.addEventListener('abort', () => done()));
        await withdraw?.();
      }
      return reports.every((report) => report.line.state === 'ready') ? 0 : 1;
    } finally {
      await http?.endpoint.close();
      await cloud.close();
    }
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** `20261121-140530-1234`: parallel runs write to separate folders. */
function runName(): string {
  const time = new Date().toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${time}-${process.pid}`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(printable(`demo: ${error.message}\n${USAGE}`));
    process.exitCode = 2;
  } else {
    process.stderr.write(
      printable(`demo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
    );
    process.exitCode = 1;
  }
}
