import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Estimate, EstimateRequest } from '../../core/contracts/http/estimate.ts';
import { parseJson } from '../../core/contracts/text.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { given, mediaId, wholeNumber } from '../options.ts';
import { table } from '../table.ts';
import { duration } from '../units.ts';

interface Options {
  media?: string;
  collection?: string;
  preset?: string;
  deadline?: number;
}

export function addEstimate(program: Command): void {
  program
    .command('estimate')
    .description(
      'what each engine would take to encode a file, a media item or a collection, and which would be chosen',
    )
    .argument('[file]', 'looked into with ffprobe; it is not sent')
    .option('--media <id>', 'a media item', mediaId)
    .option('--collection <id>', 'all media of a collection')
    .option('--preset <name>', 'with this preset instead of that of the collection')
    .option('--deadline <minutes>', 'it is to be done within so many minutes', wholeNumber(1, 1_000_000))
    .action(async (file: string | undefined, options: Options, command: Command) => {
      const { media, collection, preset, deadline } = options;
      if ([file, media, collection].filter((it) => it !== undefined).length !== 1) {
        throw new CliError(EXIT.usage, 'Say what to estimate: a file, --media ID or --collection ID.');
      }
      const { api, out } = await contextOf(command);
      const body: EstimateRequest = given({
        ...{ mediaId: media, collectionId: collection, preset, deadlineMinutes: deadline },
        file: file === undefined ? undefined : await factsOf(file),
      });
      const estimate = await api.call('estimate', { body });
      out.result(estimate, () => describe(estimate));
    });
}

const Probed = z.object({
  format: z.object({ duration: z.coerce.number().positive().optional() }),
  streams: z.array(
    z.object({
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      width: z.number().int().optional(),
      height: z.number().int().optional(),
      avg_frame_rate: z.string().optional(),
      disposition: z.object({ attached_pic: z.number() }).optional(),
    }),
  ),
});

/** @throws CliError where there is no ffprobe, or the file is not media */
async function factsOf(path: string): Promise<NonNullable<EstimateRequest['file']>> {
  const { size } = await stat(path).catch((cause: Error) => {
    throw new CliError(EXIT.usage, `${path}: ${cause.message}`);
  });
  const fields =
    'format=duration:stream=codec_type,codec_name,width,height,avg_frame_rate:stream_disposition=attached_pic';
  const args = ['-v', 'error', '-of', 'json', '-show_entries', fields, `file:${path}`];
  const ran = await promisify(execFile)(process.env.FFPROBE_PATH ?? 'ffprobe', args).catch((cause) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'ffprobe is not installed; `dropreel doctor` says how to get it' : 'ffprobe cannot read it';
    throw new CliError(EXIT.usage, `${path}: ${why}.`);
  });
  const { success, data } = Probed.safeParse(parseJson(ran.stdout));
  if (!success || data.streams.length === 0) throw new CliError(EXIT.usage, `${path}: it has no media.`);
  const video = data.streams.find((it) => it.codec_type === 'video' && !it.disposition?.attached_pic);
  const audio = data.streams.find((it) => it.codec_type === 'audio');
  return given({
    durationSeconds: data.format.duration,
    ...{ width: video?.width, height: video?.height, frameRate: rateOf(video?.avg_frame_rate) },
    ...{ videoCodec: video?.codec_name, audioCodec: audio?.codec_name, sizeBytes: size || undefined },
  });
}

/** `30000/1001`; undefined for `0/0`. */
function rateOf(text = ''): number | undefined {
  const [num = Number.NaN, den = 1] = text.split('/').map(Number);
  const rate = num / den;
  return Number.isFinite(rate) && rate > 0 ? rate : undefined;
}

function timeOf(seconds: number): string {
  return seconds < 100 ? `${seconds.toFixed(0)} s` : duration(seconds);
}

function describe({ region, media, complete, engines, choice }: Estimate): string {
  const rows = engines.map(({ engine, media: fit, seconds, usd, jobs, unfit }) => [
    engine,
    ...(fit > 0 ? [timeOf(seconds), `$${usd.toFixed(usd < 0.01 ? 6 : 2)}`, `${jobs} jobs`] : ['–', '–', '–']),
    unfit.map(({ why, media: n }) => (media === 1 ? why : `${n} of ${media}: ${why}`)).join('; '),
  ]);
  const chosen = choice.map(
    ({ engine, reason, media: n }) => `${engine}: ${media === 1 ? '' : `${n} of ${media}. `}${reason}`,
  );
  const notes = [
    `Prices of ${region}. TIME is that of the encoder, without the wait for a worker.`,
    ...(complete ? [] : [`Of the collection, the first ${media} media only.`]),
  ];
  return [table(['ENGINE', 'TIME', 'USD', 'LEARNT FROM', 'UNFIT'], rows), chosen.join('\n'), notes.join('\n')].join(
    '\n\n',
  );
}
