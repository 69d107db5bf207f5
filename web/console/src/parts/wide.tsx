import type { ReactNode } from 'react';

/** What may be wider than a small screen, and then moves sideways by itself. */
export function Wide({ name, children }: { name: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard too
    <section className="wide" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
