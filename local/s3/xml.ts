import { parseXML, XmlText } from '@aws-sdk/xml-builder';
import { AwsError, type ServiceResponse } from '../service.ts';
import { S3Error } from './model.ts';

/** Text, a nested element, several of the same name, or nothing. */
export type XmlValue = string | number | boolean | undefined | XmlElement | XmlValue[];
export interface XmlElement {
  [name: string]: XmlValue;
}

const escapeText = (text: string) => new XmlText(text).toString();

function render(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => render(name, item)).join('');
  if (typeof value === 'object') return `<${name}>${renderAll(value)}</${name}>`;
  return `<${name}>${escapeText(String(value))}</${name}>`;
}

const renderAll = (element: XmlElement) =>
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

/** The content of the root element. @throws AwsError MalformedXML when there is no such root */
export function readXml(text: string, root: string): Record<string, unknown> {
  const malformed = () =>
    new AwsError(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  let parsed: unknown;
  try {
    parsed = parseXML(text);
  } catch {
    throw malformed();
  }
  const content = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, root) : undefined;
  if (typeof content !== 'object' || content === null) throw malformed();
  return content as Record<string, unknown>;
}

/** One or several elements of a name, as a list. */
export function listOf(value: unknown): Record<string, unknown>[] {
  const items = Array.isArray(value) ? value : value === undefined || value === '' ? [] : [value];
  return items.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null);
}
