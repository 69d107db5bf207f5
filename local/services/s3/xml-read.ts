import { AwsError } from '../../kernel/service.ts';

/** An element of a request: its text, or its children by name. */
export type XmlNode = string | { [name: string]: XmlNode[] };

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const NAME = '[A-Za-z_][\\w.:-]*';
const TOKEN = new RegExp(
  `<\\?.*?\\?>|<!--.*?-->|<!\\[CDATA\\[(?<cdata>.*?)\\]\\]>|</(?<close>${NAME})\\s*>|<(?<open>${NAME})(?:\\s[^<>]*?)?(?<empty>/?)>|(?<text>[^<]+)`,
  'gsy',
);

/**
 * The children of the root element. Attributes and namespaces are ignored; only XML's five predefined entities exist.
 * @throws AwsError MalformedXML when it is not such a document
 */
export function readXml(document: string, root: string): { [name: string]: XmlNode[] } {
  const top: Open = { name: '', text: '', children: {} };
  const stack = [top];
  let end = 0;
  for (const match of document.trim().matchAll(TOKEN)) {
    end = match.index + match[0].length;
    const { cdata, close, open, empty, text } = match.groups ?? {};
    const inner = stack.at(-1);
    if (!inner) throw malformed();
    if (cdata !== undefined) inner.text += cdata;
    else if (text !== undefined) inner.text += resolveReferences(text);
    else if (open !== undefined) {
      const element: Open = { name: open.replace(/^.*:/, ''), text: '', children: {} };
      if (empty === '/') adopt(inner, element);
      else stack.push(element);
    } else if (close !== undefined) {
      stack.pop();
      const outer = stack.at(-1);
      if (!outer || inner.name !== close.replace(/^.*:/, '')) throw malformed();
      adopt(outer, inner);
    }
  }
  const content = top.children[root]?.[0];
  if (end !== document.trim().length || stack.length !== 1 || typeof content !== 'object') throw malformed();
  return content;
}

/** The text of the first child with that name. */
export function textOf(node: XmlNode | undefined, name: string): string | undefined {
  const child = typeof node === 'object' ? node[name]?.[0] : undefined;
  return typeof child === 'string' ? child : undefined;
}

interface Open {
  name: string;
  text: string;
  children: { [name: string]: XmlNode[] };
}

function adopt(parent: Open, { name, text, children }: Open): void {
  const node = Object.keys(children).length > 0 ? children : text;
  // A name such as __proto__ is an own property like any other.
  if (!Object.hasOwn(parent.children, name))
    Object.defineProperty(parent.children, name, { value: [], enumerable: true });
  parent.children[name]?.push(node);
}

function resolveReferences(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g, (_, hex, decimal, name) => {
    if (name !== undefined) {
      const character = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
      if (character === undefined) throw malformed();
      return character;
    }
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (code > 0x10ffff) throw malformed();
    return String.fromCodePoint(code);
  });
}

function malformed(): AwsError {
  return new AwsError(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
