import type { PresetView } from '../../../core/contracts/http/presets.ts';
import { fields, table } from '../../table.ts';

export function rungsOf({ rungs }: PresetView): string {
  return rungs.map(({ shortSide }) => `${shortSide}p`).join(' ');
}

export function describePreset(preset: PresetView): string {
  const { creatorId, users } = preset;
  const outputs = Object.entries(preset.outputs).flatMap(([name, wanted]) => (wanted ? [name] : []));
  const facts = fields([
    ['name', preset.name],
    ['version', `${preset.version}${preset.builtIn ? ', built in' : ''}`],
    ['of', creatorId ?? undefined],
    ['made', preset.createdAt ?? undefined],
    ['codec', preset.codec],
    ['crf', String(preset.crf)],
    ['frame rate', `up to ${preset.maxFrameRate}`],
    ['segments', `${preset.segmentSeconds} s`],
    ['mp4', `long side up to ${preset.mp4LongSide}`],
    ['loudness', preset.loudnessTarget === undefined ? undefined : `${preset.loudnessTarget} LUFS`],
    ['outputs', outputs.join(', ') || 'the stream alone'],
    ['used by', users && usedBy(users)],
  ]);
  const rungs = preset.rungs.map((rung) => [`${rung.shortSide}p`, `${rung.maxBitrate / 1000} kbit/s`, rung.audio]);
  return `${facts}\n\n${table(['RUNG', 'CAP', 'SOUND'], rungs)}`;
}

function usedBy({ collections, more }: NonNullable<PresetView['users']>): string {
  const named = collections.map(({ id, media, complete }) => `${id} (${complete ? '' : 'over '}${media} media)`);
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ') || 'no collection';
}
