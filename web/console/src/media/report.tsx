import { bytes, clock, rate } from '../parts/format.ts';
import type { Media } from '../parts/state-badge.tsx';
import { Wide } from '../parts/wide.tsx';

export function Renditions({ media: { version } }: { media: Media }) {
  if (!version) return null;
  return (
    <section>
      <h2>{`Version ${version.n}: ${bytes(version.bytes)}`}</h2>
      <Wide name="Renditions">
        <table>
          <thead>
            <tr>
              <th scope="col">Rendition</th>
              <th scope="col">Size</th>
              <th scope="col">Average</th>
              <th scope="col">Peak</th>
              <th scope="col">Codecs</th>
              <th scope="col">Bytes</th>
            </tr>
          </thead>
          <tbody>
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
          </tbody>
        </table>
      </Wide>
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
    ...(archive ? [['Archive', archive.state]] : []),
  ];
  return (
    <section>
      <h2>Source</h2>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {source.tracks?.map((track, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the tracks of a file have no other name
          <div key={i}>
            <dt>{`Track ${i + 1}`}</dt>
            <dd>{describe(track)}</dd>
          </div>
        ))}
      </dl>
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
