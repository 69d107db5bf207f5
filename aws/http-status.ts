/** The HTTP status that an AWS service answered with; undefined for anything else. */
export function httpStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const status = httpStatus(error);
  return status !== undefined && statuses.includes(status);
}
