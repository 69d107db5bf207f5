import { ERRORS } from '../../../../core/contracts/errors.ts';
import { moment } from '../parts/format.ts';
import type { Media } from '../parts/state-badge.tsx';

/** Why it failed or waits, and what is to be done. */
export function Failure({ media: { error, restoring, state } }: { media: Media }) {
  if (!error) return null;
  const known = Object.hasOwn(ERRORS, error.code) ? ERRORS[error.code as keyof typeof ERRORS] : undefined;
  return (
    <section className={`notice ${state === 'failed' ? 'bad' : 'warn'}`} aria-label="Problem">
      <strong>{error.message}</strong>
      {known && <p>{known.action}</p>}
      {restoring && <p>{`Expected back by ${moment(restoring.expectedAt)}.`}</p>}
      <p className="label">{`${error.code}, ${moment(error.at)}`}</p>
    </section>
  );
}
