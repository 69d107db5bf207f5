import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Notice } from './notice.tsx';

/** Says what will happen, and does it when it is agreed to. */
export function Confirm({
  title,
  verb,
  danger = false,
  children,
  onDo,
  onClose,
}: {
  title: string;
  verb: string;
  danger?: boolean;
  children: ReactNode;
  /** The dialog closes when it is done, and shows why when it fails. */
  onDo: () => Promise<unknown>;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const run = async () => {
    setBusy(true);
    try {
      await onDo();
      onClose();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
      {error !== null && <Notice error={error} />}
      <div className="row end">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className={danger ? 'danger' : 'primary'} disabled={busy} onClick={() => void run()}>
          {verb}
        </button>
      </div>
    </dialog>
  );
}
