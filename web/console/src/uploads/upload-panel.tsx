import { Link } from 'wouter';
import { bytes } from '../parts/format.ts';
import type { UploadItem } from './uploads.ts';
import { useUploadItems, useUploads } from './use-uploads.tsx';

const STATES: Readonly<Record<UploadItem['state'], string>> = {
  waiting: 'Waiting',
  known: 'Already here',
  unsure: 'Begun before',
  sending: 'Uploading',
  paused: 'Paused',
  broken: 'Interrupted',
  done: 'Uploaded',
  failed: 'Not uploaded',
  cancelled: 'Cancelled',
};

export function UploadPanel() {
  const items = useUploadItems();
  const { uploads } = useUploads();
  if (items.length === 0) return null;
  const done = items.filter(({ state }) => state === 'done').length;
  return (
    <section className="uploads" aria-label="Uploads">
      {/* Out of the way once nothing more is to be done or decided. */}
      <details key={String(done === items.length)} open={done < items.length}>
        <summary>{`Uploads: ${done} of ${items.length} done`}</summary>
        <ul>
          {items.map((item) => (
            <Row key={item.key} item={item} />
          ))}
        </ul>
        <button type="button" className="quiet" onClick={() => uploads.clear()}>
          Clear those that have ended
        </button>
      </details>
    </section>
  );
}

function Row({ item }: { item: UploadItem }) {
  const { uploads } = useUploads();
  const { key, file, state, sent, id, message } = item;
  return (
    <li data-state={state}>
      <div className="row">
        <span className="title">{file.name}</span>
        <span>{STATES[state]}</span>
      </div>
      <progress
        max={file.size || 1}
        value={state === 'done' ? file.size : sent}
        aria-label={`Upload of ${file.name}`}
      />
      <div className="row">
        <span className="label">{`${bytes(sent)} of ${bytes(file.size)}`}</span>
        <span className="row">
          {(state === 'sending' || state === 'waiting') && (
            <button type="button" className="quiet" onClick={() => uploads.pause(key)}>
              Pause
            </button>
          )}
          {(state === 'paused' || state === 'broken') && (
            <button type="button" className="quiet" onClick={() => uploads.resume(key)}>
              Resume
            </button>
          )}
          {state === 'unsure' && (
            <button type="button" className="quiet" onClick={() => uploads.itIs(key)}>
              Yes, go on
            </button>
          )}
          {(state === 'known' || state === 'unsure') && (
            <button type="button" className="quiet" onClick={() => uploads.sendAnyway(key)}>
              {state === 'known' ? 'Upload anyway' : 'No, upload anew'}
            </button>
          )}
          {id && (state === 'done' || state === 'known') && <Link href={`/media/${id}`}>Open</Link>}
          {state !== 'done' && (
            <button type="button" className="quiet" onClick={() => void uploads.cancel(key)}>
              {['known', 'unsure', 'failed'].includes(state) ? 'Dismiss' : 'Cancel'}
            </button>
          )}
        </span>
      </div>
      {message && <p className="why">{message}</p>}
    </li>
  );
}
