import type { AwsError, ServiceResponse } from '../../kernel/service.ts';
import { S3Error } from './model.ts';

/** Text, a nested element, several of the same name, or nothing. */
export type XmlValue = string | number | boolean | undefined | XmlElement | XmlValue[];
export interface XmlElement {
  [name: string]: XmlValue;
}

/** As character references, including line ends, which a parser would normalize. */
const escapeText = (text: string) =>
  text.replace(/[&<>"'\r\n\u0085\u2028]/g, (character) => `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`);

function render(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => render(name, item)).join('');
  if (typeof value === 'object') return `<${name}>${renderAll(value)}</${name}>`;
  return `<${name}>${escapeText(String(value))}</${name}>`;
}

export const renderAll = (element: XmlElement) =>
  Object.entries(element)
    .map(([name, value]) => render(name, value))
    .join('');

export function xmlResponse(root: string, element: XmlElement, headers: Record<string, string> = {}): ServiceResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${renderAll(element)}</${root}>`;
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

export function xmlError(error: AwsError, requestId: string): ServiceResponse {
  const fields = { Code: error.code, Message: error.message, ...error.extra, RequestId: requestId, HostId: 'local' };
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${renderAll(fields)}</Error>`;
  const headers = error instanceof S3Error ? error.headers : {};
  // 304 and 412 of a HEAD have no body; the gateway leaves it out for HEAD.
  return { status: error.status, headers: { 'content-type': 'application/xml', ...headers }, body };
}
