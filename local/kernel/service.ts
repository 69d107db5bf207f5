import type { Readable } from 'node:stream';

/** A request that the gateway passes to a service: authenticated, its body decoded and verified while it is read. */
export interface ServiceRequest {
  readonly requestId: string;
  readonly method: string;
  /** Undecoded, starting with a slash, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without aws-chunked framing. Reading it throws an AwsError when a signature, hash or checksum does not match. */
  readonly body: Readable;
  readonly principal: Principal;
  /** Returns when the principal has the permission; else throws AwsError AccessDenied, in AWS's wording. */
  authorize(check: AccessCheck): void;
}

export interface AccessCheck {
  /** `s3:GetObject` */
  action: string;
  /** ARN */
  resource: string;
  /** Condition keys, for example `s3:prefix`; a list for a multi-valued key. */
  context?: Readonly<Record<string, string | readonly string[]>>;
  /** Policy of the resource itself (bucket, queue, key…), a parsed policy document. */
  resourcePolicy?: unknown;
}

export interface ServiceResponse {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array | Readable;
}

/** One AWS service behind the gateway, found by the credential scope's service name. */
export interface Service {
  /** `s3`, `sqs`, `dynamodb`, `events`, `batch`, `scheduler` */
  readonly name: string;
  /** The service uses the query protocol. A web page could send a form, but not the header with its signature. */
  readonly takesForms?: true;
  /** The API operation, for counting, faults and errors: `PutObject`. Cheap, and does not read the body. */
  operation(request: Pick<ServiceRequest, 'method' | 'path' | 'query' | 'headers'>): string;
  handle(request: ServiceRequest): Promise<ServiceResponse>;
  /** Renders an error in this service's protocol. */
  renderError(error: AwsError, requestId: string): ServiceResponse;
}

/** The caller: a role of the template, an AWS service on its own behalf, the developer at this machine, or anonymous. */
export type Principal =
  | { type: 'role'; arn: string; session?: Session }
  | { type: 'service'; service: string; sourceArn?: string }
  | { type: 'developer' }
  | { type: 'anonymous' };

/** The result of sts:AssumeRole: the role's permissions, for a limited time, restricted by the session's policy. */
export interface Session {
  name: string;
  /** A policy document as JSON. */
  policy?: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** An error that is returned to the client, with AWS's code. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;
  readonly extra: Readonly<Record<string, string>>;

  constructor(code: string, status: number, message: string, extra: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.extra = extra;
  }
}

/** Delivers an event of an AWS service (S3, Batch) to the default bus; resolves once it is durably accepted. */
export type EmitEvent = (event: {
  source: string;
  'detail-type': string;
  resources: string[];
  time: string;
  detail: unknown;
}) => Promise<void>;
