import { useSyncExternalStore } from 'react';

interface Toast {
  id: number;
  text: string;
  action?: { name: string; run: () => void };
}

/** Long enough to be read and reached by keyboard. */
const SHOWN_MS = 12_000;

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

const close = (id: number) => set(toasts.filter((toast) => toast.id !== id));

/** Says what was done, with what takes it back. */
export function tell(text: string, action?: Toast['action']): void {
  last += 1;
  const id = last;
  set([...toasts, { id, text, ...(action && { action }) }]);
  setTimeout(() => close(id), SHOWN_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status">
      {shown.map(({ id, text, action }) => (
        <div key={id} className="toast">
          <span>{text}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                close(id);
                action.run();
              }}
            >
              {action.name}
            </button>
          )}
          <button type="button" className="quiet" aria-label="Close" onClick={() => close(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
