import { Facts } from '../parts/facts.tsx';
import { bytes, clock, rate } from '../parts/format.ts';
import type { Media } from '../parts/state-badge.tsx';
import { Table } from '../parts/table.tsx';

export function Renditions({ media: { version } }: { media: Media }) {
  if (!version) return null;
  return (
    <section>
      <h2>{`Version ${version.n}: ${bytes(version.bytes)}`}</h2>
      <Table name="Renditions" columns={['Rendition', 'Size', 'Average', 'Peak', 'Codecs', 'Bytes']}>
        {version.renditions.map(
          ({ name, width, height, frameRate, averageBandwidth, bandwidth, codecs, bytes: size }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                {width ? `${width}×${height}${frameRate ? `, ${Number(frameRate.toFixed(2))} fps` : ''}` : 'sound'}
              </td>
              <td>{rate(averageBandwidth)}</td>
              <td>{rate(bandwidth)}</td>
              <td>{codecs}</td>
              <td>{bytes(size)}</td>
            </tr>
          ),
        )}
      </Table>
    </section>
  );
}

export function Warnings({ media: { version } }: { media: Media }) {
  if (!version || version.warnings.length === 0) return null;
  return (
    <section>
      <h2>Warnings</h2>
      <ul className="warnings">
        {version.warnings.map(({ code, at, message }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a version's warnings never change
          <li key={i}>
            {at !== undefined && <span className="label">{clock(at)} </span>}
            {message} <code>{code}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function SourceFacts({ media }: { media: Media }) {
  const { source, originalDeletedAt, archive } = media;
  const { durationSeconds, width, height, frameRate, videoCodec, audioCodec } = source;
  const facts = [
    ['File', source.fileName],
    ['Size', bytes(source.size)],
    ...(durationSeconds === undefined ? [] : [['Length', clock(durationSeconds)]]),
    ...(width ? [['Pictures', `${width}×${height}${frameRate ? `, ${Number(frameRate.toFixed(3))} fps` : ''}`]] : []),
    ...(videoCodec || audioCodec ? [['Codecs', [videoCodec, audioCodec].filter(Boolean).join(', ')]] : []),
    ...(originalDeletedAt ? [['Original', 'deleted, as its collection asks']] : []),
    ...(archive ? [['Archive', [archive.state, archive.detail].filter(Boolean).join(': ')]] : []),
    ...(source.tracks ?? []).map((track, i) => [`Track ${i + 1}`, describe(track)]),
  ];
  return (
    <section>
      <h2>Source</h2>
      <Facts facts={facts} />
    </section>
  );
}

function describe(track: NonNullable<Media['source']['tracks']>[number]): string {
  const { type, codec, width, height, channels, sampleRate, language, taken, why } = track;
  const said = [
    type,
    codec,
    width && height && `${width}×${height}`,
    channels && `${channels} ${channels === 1 ? 'channel' : 'channels'}`,
    sampleRate && `${sampleRate} Hz`,
    language,
    !taken && `not taken${why ? `: ${why}` : ''}`,
  ];
  return said.filter(Boolean).join(', ');
}
