import { AwsError } from '../kernel/service.ts';

export function unknownService(service: string): AwsError {
  return new AwsError('NotImplemented', 501, `the local cloud does not serve ${service}`);
}

/** The gateway uses S3's names for authentication errors; the services with JSON protocols have others. */
const JSON_NAMES: Readonly<Record<string, { code: string; status: number; message?: string }>> = {
  InvalidAccessKeyId: {
    code: 'UnrecognizedClientException',
    status: 403,
    message: 'The security token included in the request is invalid.',
  },
  SignatureDoesNotMatch: { code: 'InvalidSignatureException', status: 403 },
  ExpiredToken: {
    code: 'ExpiredTokenException',
    status: 400,
    message: 'The security token included in the request is expired',
  },
  RequestTimeTooSkewed: { code: 'InvalidSignatureException', status: 403 },
  AuthorizationHeaderMalformed: { code: 'IncompleteSignature', status: 400 },
  InternalError: { code: 'InternalServerError', status: 500 },
};

/** An error of the gateway as a service other than S3 names it. */
export function foreignError(service: string, error: AwsError): AwsError {
  const known = Object.hasOwn(JSON_NAMES, error.code) ? JSON_NAMES[error.code] : undefined;
  if (!known) return error;
  if (service === 'sqs' && error.code === 'InvalidAccessKeyId') {
    return new AwsError('InvalidClientTokenId', 403, known.message ?? error.message);
  }
  return new AwsError(known.code, known.status, known.message ?? error.message);
}
