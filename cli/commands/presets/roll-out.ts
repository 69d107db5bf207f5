import { type Command, InvalidArgumentError } from 'commander';
import type { Client } from '../../../client/client.ts';
import type { RollOutView } from '../../../core/contracts/http/presets.ts';
import { MOST_IN_SAMPLE } from '../../../core/contracts/presets.ts';
import { contextOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import type { Output } from '../../output.ts';
import { fields, table } from '../../table.ts';
import { bytes, duration } from '../../units.ts';

interface Options {
  collection?: string;
  sample?: number;
  all?: boolean;
  confirm?: boolean;
  goOn?: boolean;
  stop?: boolean;
  putBack?: boolean;
}

export function addPresetsRollOut(presets: Command): void {
  presets
    .command('roll-out')
    .description('encode media again by the present version, a sample first; without options: how it stands')
    .argument('<name>')
    .option('--sample <percent>', 'so many per cent first, then wait; one at least', percent)
    .option('--all', 'all, without a sample')
    .option('--collection <id>', 'media of one collection; otherwise of all that have the preset')
    .option('--confirm', 'begin; otherwise it is only said what it would take')
    .option('--go-on', 'after the sample: the rest; after it was stopped: what it was at')
    .option('--stop', 'begin no further encode')
    .option('--put-back', 'give viewers the versions before again, as long as they are kept')
    .action(async (name: string, options: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const { goOn, stop, putBack, sample, all } = options;
      if ([goOn, stop, putBack, sample, all].filter(Boolean).length > 1) {
        throw new CliError(EXIT.usage, 'Say one of --sample, --all, --go-on, --stop and --put-back.');
      }
      const order = goOn ? 'go-on' : stop ? 'stop' : putBack ? 'put-back' : undefined;
      if (order) return show(out, await api.call('orderRollOut', { name, order }));
      const samplePercent = all ? 100 : sample;
      if (samplePercent === undefined) return show(out, await api.call('getRollOut', { name }));
      if (!options.confirm) return estimate(api, out, name, { collection: options.collection, samplePercent });
      const body = { samplePercent, ...(options.collection !== undefined && { collectionId: options.collection }) };
      show(out, await api.call('rollOutPreset', { name, body }));
    });
}

/** `1%`, or `1`. */
function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text !== '' && value > 0 && value <= 100) return value;
  throw new InvalidArgumentError('takes a share above 0 % and up to 100 %, as 1%.');
}

/** What all media would take, and a sample of them. */
async function estimate(
  api: Client,
  out: Output,
  name: string,
  { collection, samplePercent }: { collection: string | undefined; samplePercent: number },
): Promise<void> {
  const { users } = await api.call('getPreset', { name });
  const ids = collection === undefined ? (users?.collections.map(({ id }) => id) ?? []) : [collection];
  const all: Sums = { media: 0, complete: collection !== undefined || (users?.more ?? 0) === 0, ...NOTHING };
  for (const collectionId of ids) {
    const one = await api.call('estimate', { body: { collectionId, preset: name, outdated: true } });
    all.media += one.media;
    all.complete &&= one.complete;
    all.present += one.bytes.present;
    all.most += one.bytes.most;
    for (const { seconds, usd } of one.choice) {
      all.seconds += seconds;
      all.usd += usd;
    }
  }
  const sample = sampleOf(all, samplePercent);
  out.result({ ...all, samplePercent, sample }, () => describeSums(all, sample, samplePercent));
}

interface Sums {
  media: number;
  /** Whether all media were looked at. */
  complete: boolean;
  seconds: number;
  usd: number;
  /** Bytes. */
  present: number;
  most: number;
}
const NOTHING = { seconds: 0, usd: 0, present: 0, most: 0 };

/** What a sample takes of it: its share, one media item at least, and no more than samples have. */
export function sampleOf({ media, seconds, usd }: Sums, percent: number): Pick<Sums, 'media' | 'seconds' | 'usd'> {
  const share = Math.max(1, Math.round((media * percent) / 100));
  const its = Math.min(media, percent < 100 ? Math.min(share, MOST_IN_SAMPLE) : media);
  const part = media === 0 ? 0 : its / media;
  return { media: its, seconds: seconds * part, usd: usd * part };
}

export function describeSums(all: Sums, sample: ReturnType<typeof sampleOf>, percent: number): string {
  const least = all.complete ? '' : 'at least ';
  const line = ({ media, seconds, usd }: Pick<Sums, 'media' | 'seconds' | 'usd'>) =>
    `${least}${media} media, ${duration(seconds)} of encoding, $${usd.toFixed(2)}`;
  const facts = fields([
    ['sample', percent < 100 ? line(sample) : undefined],
    ['all', line(all)],
    ['bytes now', `${least}${bytes(all.present)}`],
    ['bytes then', all.complete ? `${bytes(all.most)} at most` : `of these, ${bytes(all.most)} at most`],
  ]);
  const part = all.complete ? '' : '\nNot all media were looked at: there are more.';
  return `${facts}${part}\nMedia that the present version has made already are left out. To begin: --confirm`;
}

function show(out: Output, rollOut: RollOutView): void {
  out.result(rollOut, () => describe(rollOut));
}

function describe(rollOut: RollOutView): string {
  const { report, failures } = rollOut;
  const facts = fields([
    ['preset', `${rollOut.preset}, version ${rollOut.version}`],
    ['state', rollOut.state],
    ['why', rollOut.why],
    ['of', rollOut.collectionId ?? 'all collections that have it'],
    [
      'media',
      `${rollOut.done} done, ${rollOut.underWay} under way, ${rollOut.failed} failed, ${rollOut.skipped} skipped`,
    ],
    ['put back', rollOut.putBack > 0 ? `${rollOut.putBack} asked for` : undefined],
    ['next', NEXT[rollOut.state]],
  ]);
  const rows = report.map(({ mediaId, before, after }) => [
    mediaId,
    ...[bytes(before.bytes), bytes(after.bytes), `${changeOf(before.bytes, after.bytes)} %`],
    ...[ssim(before.ssim), ssim(after.ssim)],
    after.renditions.map(({ name, bytes: size }) => `${name} ${sizeOf(before, name)}→${bytes(size)}`).join(', '),
  ]);
  const compared =
    report.length === 0
      ? ''
      : `\n\n${table(['MEDIA', 'BEFORE', 'AFTER', 'CHANGE', 'SSIM BEFORE', 'AFTER', 'RENDITIONS'], rows)}`;
  const failed = failures.map(({ mediaId, code, message }) => [mediaId, code, message]);
  return `${facts}${compared}${failed.length === 0 ? '' : `\n\n${table(['MEDIA', 'FAILED WITH', 'WHY'], failed)}`}`;
}

const NEXT: { readonly [State in RollOutView['state']]?: string } = {
  waiting: '--go-on or --put-back',
  stopped: '--go-on or --put-back',
  done: '--put-back, as long as the versions before are kept',
};

function changeOf(before: number, after: number): string {
  const change = before === 0 ? 0 : Math.round((after / before - 1) * 100);
  return change > 0 ? `+${change}` : String(change);
}

const ssim = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(4));

function sizeOf({ renditions }: { renditions: { name: string; bytes: number }[] }, name: string): string {
  const found = renditions.find((rendition) => rendition.name === name);
  return found ? bytes(found.bytes) : '';
}
