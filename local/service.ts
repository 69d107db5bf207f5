import type { Readable } from 'node:stream';

/** What the gateway hands to a service: the request is authenticated, its body decoded and verified as it is read. */
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
  /** Returns when the principal may; throws AwsError AccessDenied, in AWS's words, when not. */
  authorize(check: AccessCheck): void;
}

export interface AccessCheck {
  /** `s3:GetObject` */
  action: string;
  /** ARN */
  resource: string;
  /** Condition keys, as `s3:prefix`. */
  context?: Readonly<Record<string, string>>;
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
  /** The API operation, for counting, faults and errors: `PutObject`. Cheap, and reads no body. */
  operation(request: Pick<ServiceRequest, 'method' | 'path' | 'query' | 'headers'>): string;
  handle(request: ServiceRequest): Promise<ServiceResponse>;
  /** How this service's protocol says an error. */
  renderError(error: AwsError, requestId: string): ServiceResponse;
}

/** Who calls: a role of the template, an AWS service acting by itself, the developer at this machine, or nobody. */
export type Principal =
  | { type: 'role'; arn: string }
  | { type: 'service'; service: string; sourceArn?: string }
  | { type: 'developer' }
  | { type: 'anonymous' };

/** An error that a client is told, with AWS's code for it. */
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
