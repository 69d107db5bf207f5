import { useState } from 'react';
import { Link } from 'wouter';
import type { Answer } from '../../../../client/request.ts';
import { bytes } from '../parts/format.ts';
import '../styles/compare.css';

type Pair = Answer<'getRollOut'>['report'][number];

/** Old against new: two pictures with a slider over them. */
export function Compare({ mediaId, before, after }: Pair) {
  const [part, setPart] = useState(50);
  const change = before.bytes > 0 ? Math.round((after.bytes / before.bytes - 1) * 100) : 0;
  return (
    <figure className="compare">
      {before.posterUrl && after.posterUrl && (
        <>
          <div className="pair">
            <img src={before.posterUrl} alt="Before" />
            <img src={after.posterUrl} alt="After" style={{ clipPath: `inset(0 0 0 ${part}%)` }} />
          </div>
          <input
            type="range"
            min="0"
            max="100"
            value={part}
            aria-label="How much of the picture is from before"
            onChange={({ target }) => setPart(Number(target.value))}
          />
        </>
      )}
      <figcaption>
        <Link href={`/media/${mediaId}`}>{mediaId}</Link>
        {`: ${bytes(before.bytes)} → ${bytes(after.bytes)} (${change > 0 ? '+' : ''}${change} %)`}
        {after.ssim !== undefined && `, SSIM ${after.ssim.toFixed(4)}`}
        {before.ssim !== undefined && ` (before ${before.ssim.toFixed(4)})`}
        <span className="label">{renditions(before, after)}</span>
      </figcaption>
    </figure>
  );
}

/** `720p 1.2 MB → 0.9 MB, …` */
function renditions(before: Pair['before'], after: Pair['after']): string {
  const sizes = after.renditions.map(({ name, bytes: size }) => {
    const old = before.renditions.find((one) => one.name === name);
    return `${name} ${old ? `${bytes(old.bytes)} → ` : 'new: '}${bytes(size)}`;
  });
  const gone = before.renditions.filter(({ name }) => !after.renditions.some((one) => one.name === name));
  return ` ${[...sizes, ...gone.map(({ name }) => `${name} gone`)].join(', ')}`;
}
