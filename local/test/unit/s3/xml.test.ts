import { expect, test } from 'vitest';
import { xmlResponse } from '../../../services/s3/xml.ts';
import { readXml, textOf } from '../../../services/s3/xml-read.ts';

test.each<[string, string, unknown]>([
  ['children by name', '<A><B>1</B><C>x</C><B>2</B></A>', { B: ['1', '2'], C: ['x'] }],
  [
    'a prolog, a namespace, attributes and spaces',
    '<?xml version="1.0"?>\n<A xmlns="http://x/">\n <B c="d">1</B>\n</A >',
    { B: ['1'] },
  ],
  ['prefixes that say nothing', '<s:A><s:B>1</s:B></s:A>', { B: ['1'] }],
  ['an empty element, both ways', '<A><B/><C></C></A>', { B: [''], C: [''] }],
  ['spaces in text', '<A><B> f </B></A>', { B: [' f '] }],
  ['references', '<A><B>&lt;&amp;&#x1F3AC;&#252;&quot;&apos;&gt;</B></A>', { B: ['<&🎬ü"\'>'] }],
  ['CDATA and comments', '<A><!-- <B>0</B> --><B><![CDATA[<&]]>x</B></A>', { B: ['<&x'] }],
  ['nesting', '<A><B><C>1</C></B></A>', { B: [{ C: ['1'] }] }],
])('%s are read', (_, document, expected) => {
  expect(readXml(document, 'A')).toEqual(expected);
});

test.each<[string, string]>([
  ['nothing', ''],
  ['another root', '<B><A>1</A></B>'],
  ['tags that do not match', '<A><B>1</A></B>'],
  ['an end that is missing', '<A><B>1</B>'],
  ['a lone bracket', '<A><B>1 < 2</B></A>'],
  ['what is not XML', '{"A":1}'],
  ['an entity of its own', '<!DOCTYPE A [<!ENTITY e "x">]><A><B>&e;</B></A>'],
  ['an unknown entity', '<A><B>&nbsp;</B></A>'],
  ['an invalid code point', '<A><B>&#x110000;</B></A>'],
  ['something behind the end', '<A><B>1</B></A>trailing <'],
])('%s is MalformedXML', (_, document) => {
  expect(() => readXml(document, 'A')).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
});

test('names of Object.prototype are read like other names', () => {
  const read = readXml('<A><__proto__>1</__proto__><toString>2</toString></A>', 'A');
  expect([textOf(read, '__proto__'), textOf(read, 'toString'), textOf(read, 'constructor')]).toEqual([
    '1',
    '2',
    undefined,
  ]);
});

test('a written document is read back unchanged', () => {
  const Key = ' <a>&"\'\r\n\u2028🎬 ';
  const { body } = xmlResponse('A', { Key });
  expect(readXml(String(body), 'A')).toEqual({ Key: [Key] });
});
