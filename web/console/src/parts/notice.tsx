import { RefusedError } from '../../../../client/errors.ts';

/** What went wrong, and what is to be done where the API says it. */
export function Notice({ error }: { error: unknown }) {
  return (
    <p className="notice bad" role="alert">
      {messageOf(error)}
    </p>
  );
}

export function messageOf(error: unknown): string {
  if (error instanceof RefusedError && error.problem) {
    const { detail, errors } = error.problem;
    return [detail, ...(errors ?? []).map(({ path, message }) => `${path}: ${message}`)].join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}
