import { type ComponentType, lazy, type ReactNode, Suspense, useState } from 'react';

/**
 * A component whose file is loaded when it is first shown. One that could not be loaded is tried again when it is shown anew, which
 * `lazy` alone does not do.
 */
export function later<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
  waiting: ReactNode = <p className="waiting">Loading…</p>,
): ComponentType<Props> {
  return function Later(props: Props) {
    const [Loaded] = useState(() => lazy<ComponentType<Props>>(load));
    return (
      <Suspense fallback={waiting}>
        <Loaded {...props} />
      </Suspense>
    );
  };
}
