import type { Readable } from 'node:stream';
import { renderAll, type XmlElement } from '../services/s3/xml.ts';
import { readBody } from './aws-json.ts';
import { AwsError, type Service, type ServiceRequest, type ServiceResponse } from './service.ts';

/** AWS's query protocol: a form with the operation and its input, an answer in XML. */

export type Form = ReadonlyMap<string, string>;

/**
 * @returns the result as XML elements
 * @throws AwsError, also from `authorize`
 */
export type QueryOperation = (form: Form, request: ServiceRequest) => Promise<object> | object;

/** A service with that protocol. */
export function queryService(options: {
  /** Name in a credential scope. */
  name: string;
  /** Display name: `CloudFormation`. */
  title: string;
  /** XML namespace of the service's version, for example `http://sns.amazonaws.com/doc/2010-03-31/`. */
  namespace: string;
  operations: Readonly<Record<string, QueryOperation>>;
}): Service {
  const { name, title, namespace, operations } = options;
  const [only, ...others] = Object.keys(operations);
  return {
    name,
    takesForms: true,
    // The operation is in the body, which is not read yet.
    operation: () => (only !== undefined && others.length === 0 ? only : 'Query'),
    async handle(request) {
      const form = await readForm(request.body);
      const action = form.get('Action') ?? '';
      const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
      if (!operation) throw new AwsError('InvalidAction', 400, `${title} ${action} is not served locally.`);
      return queryResponse(action, namespace, request.requestId, (await operation(form, request)) as XmlElement);
    },
    renderError: (error, requestId) => queryError(error, namespace, requestId),
  };
}

/** @returns the form's fields, named like `Attributes.entry.1.key` */
async function readForm(body: Readable): Promise<Form> {
  return new Map(new URLSearchParams(await readBody(body)));
}

/** The map encoded by the fields `{name}.entry.{n}.key` and `.value`. */
export function mapOf(form: Form, name: string): Record<string, string> {
  const map: Record<string, string> = {};
  for (let n = 1; form.has(`${name}.entry.${n}.key`); n += 1) {
    map[form.get(`${name}.entry.${n}.key`) ?? ''] = form.get(`${name}.entry.${n}.value`) ?? '';
  }
  return map;
}

function queryResponse(operation: string, namespace: string, requestId: string, result: XmlElement): ServiceResponse {
  const body = renderAll({ [`${operation}Result`]: result, ResponseMetadata: { RequestId: requestId } });
  return xml(200, `<${operation}Response xmlns="${namespace}">${body}</${operation}Response>`);
}

function queryError(error: AwsError, namespace: string, requestId: string): ServiceResponse {
  const Type = error.status < 500 ? 'Sender' : 'Receiver';
  const body = renderAll({ Error: { Type, Code: error.code, Message: error.message }, RequestId: requestId });
  return xml(error.status, `<ErrorResponse xmlns="${namespace}">${body}</ErrorResponse>`);
}

const xml = (status: number, body: string): ServiceResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
});
