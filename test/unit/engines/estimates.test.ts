import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { PRESETS } from '../../../core/contracts/presets.ts';
import { pricesIn } from '../../../core/contracts/prices.ts';
import type { SourceInfo } from '../../../core/contracts/table/media.ts';
import { estimate as gpu } from '../../../engines/batch/gpu.ts';
import { estimate as batch } from '../../../engines/batch/price.ts';
import type { Estimate } from '../../../engines/engine.ts';
import { estimate as http } from '../../../engines/http/price.ts';
import { estimate as mediaconvert } from '../../../engines/mediaconvert/price.ts';

const { prices } = pricesIn('us-east-1');
const presetNamed = (name: string) => PRESETS[name] ?? expect.fail(`no preset ${name}`);

/** Each engine of the table in docs/engines.md, as a deployment with the defaults has it. */
const ENGINES: Readonly<Record<string, (source: SourceInfo, preset: string) => Estimate>> = {
  'batch-cpu': (source, preset) => batch(source, presetNamed(preset), prices, { vcpus: 4, workers: 16 }),
  'batch-gpu': (source, preset) => gpu(source, presetNamed(preset), prices, { workers: 4 }),
  http: (source, preset) => http(source, presetNamed(preset)),
  mediaconvert: (source, preset) => mediaconvert(source, presetNamed(preset), prices),
};
const picture = (width: number, height: number, frameRate: number) => ({
  ...{ width, height, frameRate },
  ...{ videoCodec: 'h264', audioCodec: 'aac' },
});
const FILES = [
  ['phone clip, 30 s, 1080p30', { durationSeconds: 30, ...picture(1920, 1080, 30) }, 'standard'],
  ['lecture, 1 h, 1080p25', { durationSeconds: 3600, ...picture(1920, 1080, 25) }, 'standard'],
  ['4K HDR, 10 min, 2160p30', { durationSeconds: 600, ...picture(3840, 2160, 30), videoCodec: 'hevc' }, 'uhd'],
  ['podcast, 1 h', { durationSeconds: 3600, audioCodec: 'mp3' }, 'standard'],
] as const;

function cell(estimate: Estimate): string {
  if ('unfit' in estimate) return '–';
  const { seconds, usd } = estimate;
  const time = seconds < 100 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
  return `${time}, $${usd < 0.1 ? usd.toFixed(4) : usd.toFixed(2)}`;
}

it('docs/engines.md has the time and the cost of four files by the estimates of the engines', async () => {
  const [, section = ''] = (await readFile('docs/engines.md', 'utf8')).split('## Time and cost\n');
  const documented = section
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('|'));
  const names = Object.keys(ENGINES);
  const rows = FILES.map(([file, source, preset]) => [
    ...[file, `\`${preset}\``],
    ...names.map((name) => cell(ENGINES[name]?.(source, preset) ?? expect.fail(name))),
  ]);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const header = ['file', 'preset', ...names.map((name) => `\`${name}\``)];
  expect(documented).toEqual([row(header), `|${'---|'.repeat(header.length)}`, ...rows.map(row)]);
});
