import { useState } from 'react';
import { embedCode, framers, frameSize } from '../../../../core/contracts/embed.ts';
import { Copy } from '../parts/copy.tsx';
import { moment } from '../parts/format.ts';
import { Notice } from '../parts/notice.tsx';
import type { Media } from '../parts/state-badge.tsx';
import { useCollections } from '../use-collections.ts';
import { useSession } from '../use-session.ts';

export function Links({ media }: { media: Media }) {
  const { playback, access, title, embedUrl } = media;
  if (!playback) return null;
  const { hls, mp4, dash } = playback;
  const isPrivate = access === 'private';
  return (
    <section>
      <h2>Links</h2>
      {isPrivate && <p className="label">It is private: these open with a session or a signed link only.</p>}
      <Copy name="HLS" text={hls} />
      {dash && <Copy name="DASH" text={dash} />}
      {mp4 && <Copy name="MP4" text={mp4} />}
      {isPrivate ? <SignedLinks media={media} /> : embedUrl && <Embed media={media} url={embedUrl} />}
      {mp4 && !isPrivate && (
        <a className="button" href={mp4} download={title}>
          Download MP4
        </a>
      )}
    </section>
  );
}

/** The code for other sites' pages, and who may use it. */
function Embed({ media, url }: { media: Media; url: string }) {
  const { title, kind, version, access = 'public', collectionId } = media;
  const collection = useCollections().find(({ id }) => id === collectionId);
  const sites = framers(access, collection?.embedOrigins);
  return (
    <>
      <Copy name="Embed" text={embedCode({ url, title, ...frameSize(kind, version?.renditions ?? []) })} />
      {sites.length === 0 && <p className="why">Its collection lets no site embed it: name the sites there first.</p>}
      {sites.length > 0 && sites[0] !== '*' && <p className="label">{`May be embedded by ${sites.join(', ')}.`}</p>}
    </>
  );
}

const HOURS: readonly (readonly [hours: number, name: string])[] = [
  [1, 'an hour'],
  [24, 'a day'],
  [168, 'a week'],
];

/** Of a private media item: made when they are asked for, because they open it for whoever has them. */
function SignedLinks({ media }: { media: Media }) {
  const { client } = useSession();
  const { id, playback } = media;
  const [hours, setHours] = useState(24);
  const [links, setLinks] = useState<{ embed: string; mp4: string | undefined; expiresAt: string | null } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const make = async () => {
    try {
      const link = (output: 'embed' | 'mp4') => client.call('createMediaLink', { id, body: { output, hours } });
      const [embed, mp4] = await Promise.all([link('embed'), playback?.mp4 ? link('mp4') : undefined]);
      setLinks({ embed: embed.url, mp4: mp4?.url, expiresAt: embed.expiresAt });
      setError(null);
    } catch (cause) {
      setError(cause);
    }
  };
  return (
    <>
      <div className="row start">
        <label>
          Signed links for{' '}
          <select value={hours} onChange={({ target }) => setHours(Number(target.value))}>
            {HOURS.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => void make()}>
          Make links
        </button>
      </div>
      {error !== null && <Notice error={error} />}
      {links && (
        <>
          {links.expiresAt && (
            <p className="label">{`Whoever has them can play it until ${moment(links.expiresAt)}.`}</p>
          )}
          <Copy name="Page" text={links.embed} />
          <Embed media={media} url={links.embed} />
          {links.mp4 && <Copy name="Signed MP4" text={links.mp4} />}
        </>
      )}
    </>
  );
}
