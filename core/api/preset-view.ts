import type { PresetUsers, PresetView, RollOutView } from '../contracts/http/presets.ts';
import { contentOf, type Preset, type PresetContent } from '../contracts/presets.ts';
import type { PresetRow, PresetVersionRow, RollOutRow, VersionFacts } from '../contracts/table/presets.ts';

/** Presets as clients see them: what of one may be sent back has the same names. */

export function presetView(row: PresetRow | PresetVersionRow, users?: PresetUsers): PresetView {
  const { name, version, creatorId, content } = row;
  const createdAt = row.type === 'preset' ? row.updatedAt : row.createdAt;
  return { ...{ name, builtIn: false, creatorId, version }, ...shown(content), createdAt, ...(users && { users }) };
}

export function builtInView(preset: Preset, users?: PresetUsers): PresetView {
  const { name, version } = preset;
  const said = shown(contentOf(preset));
  return { ...{ name, builtIn: true, creatorId: null, version }, ...said, createdAt: null, ...(users && { users }) };
}

function shown({ rungs, ...content }: PresetContent) {
  return { ...content, rungs: rungs.map(({ name: _name, ...rung }) => rung) };
}

/** @param deliveryUrl origin that serves the media bucket, without a slash at its end */
export function rollOutView(row: RollOutRow, deliveryUrl: string): RollOutView {
  const { name, version, samplePercent, state, taken, done, failed, skipped, putBack, failures } = row;
  const facts = ({ poster, ...rest }: VersionFacts) => {
    const posterUrl = poster && `${deliveryUrl}/${poster.split('/').map(encodeURIComponent).join('/')}`;
    return { ...rest, ...(posterUrl && { posterUrl }) };
  };
  return {
    ...{
      preset: name,
      version,
      samplePercent,
      state,
      taken,
      underWay: row.batch.length,
      done,
      failed,
      skipped,
      putBack,
    },
    ...(row.collectionId !== undefined && { collectionId: row.collectionId }),
    ...(row.why !== undefined && { why: row.why }),
    report: row.report.map(({ mediaId, before, after }) => ({ mediaId, before: facts(before), after: facts(after) })),
    failures,
    startedAt: row.startedAt,
    updatedAt: row.updatedAt,
  };
}
