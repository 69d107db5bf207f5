import { useEffect, useState } from 'react';
import { isUnfinished } from '../uploads/uploads.ts';
import { useUploadItems } from '../uploads/use-uploads.tsx';
import { messageOf } from './notice.tsx';

/**
 * A file of the console could not be loaded, as browsers word it: Chromium, Firefox, Safari, and Vite of a style sheet. A release replaces
 * the files of the one before.
 */
const NOT_LOADED =
  /dynamically imported module|Importing a module script failed|Unable to preload CSS|module script.*MIME type/i;

/** Whether the server has another release of the console than this page; null: it does not answer, or it is not known yet. */
async function isReplaced(): Promise<boolean | null> {
  const [script] = document.querySelectorAll<HTMLScriptElement>('script[type="module"][src]');
  const answer = await fetch('/console/', { cache: 'no-store' }).catch(() => null);
  return answer?.ok && script ? !(await answer.text()).includes(new URL(script.src).pathname) : null;
}

/** In place of what has failed: why, and what to do. */
export function Broken({ error, onAgain }: { error: unknown; onAgain: () => void }) {
  const [replaced, setReplaced] = useState<boolean | null>(null);
  const notLoaded = NOT_LOADED.test(messageOf(error));
  useEffect(() => {
    if (notLoaded) void isReplaced().then(setReplaced);
  }, [notLoaded]);
  if (notLoaded && replaced) {
    return (
      <section className="notice warn" role="alert">
        <strong>There is a new version of the console.</strong>
        <p>This page is of the version before, which the server does not have any more.</p>
        <Reload />
      </section>
    );
  }
  return (
    <section className="notice bad" role="alert">
      <strong>{notLoaded ? 'Part of the console could not be loaded.' : 'This page has failed.'}</strong>
      <p>{notLoaded ? 'Is the line down? Try again, or reload the page.' : messageOf(error)}</p>
      {!notLoaded && <p>Try again. If it fails again, give these words to those who run this deployment.</p>}
      <div className="row start">
        <button type="button" onClick={onAgain}>
          Try again
        </button>
        <Reload />
      </div>
    </section>
  );
}

/** A reload ends the uploads of the page, so it waits for them. */
function Reload() {
  const [waits, setWaits] = useState(false);
  const left = useUploadItems().filter(isUnfinished).length;
  useEffect(() => {
    if (waits && left === 0) location.reload();
  }, [waits, left]);
  if (waits) return <p>{`Reloading when ${left === 1 ? 'the upload has' : `${left} uploads have`} arrived.`}</p>;
  return (
    <>
      {left > 0 && <p>{`${left === 1 ? 'An upload goes' : `${left} uploads go`} on meanwhile.`}</p>}
      <button type="button" className="primary" onClick={() => setWaits(true)}>
        {left > 0 ? 'Reload when uploads have arrived' : 'Reload'}
      </button>
    </>
  );
}
