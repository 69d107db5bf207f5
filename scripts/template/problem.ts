/** What is wrong with a template, and where: `path` is empty for the resource as a whole. */
export interface Problem {
  logicalId: string;
  type: string;
  /** `Properties.RetryStrategy.Attempts` */
  path: string;
  message: string;
}

export interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
}

export interface Template {
  Resources: Record<string, TemplateResource>;
  Outputs?: Record<string, unknown>;
  Parameters?: Record<string, unknown>;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function problemLine({ logicalId, type, path, message }: Problem): string {
  return `${logicalId} (${type})${path && ` ${path}`}: ${message}`;
}
