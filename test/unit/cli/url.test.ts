import { expect, it } from 'vitest';
import { fileNameOf } from '../../../cli/commands/download.ts';
import { openInBrowser } from '../../../cli/open.ts';
import { safeUrl } from '../../../cli/url.ts';

it.each([
  'https://cdn.example.com/a.mp4',
  'http://127.0.0.1:4566/a',
  'http://localhost:1/',
  'http://[::1]:1/',
])('%s is accepted for a token and for opening', (url) => {
  expect(safeUrl(url)).toBe(url);
});

it.each([
  'http://cdn.example.com/a.mp4',
  'http://127.0.0.1.example.com/',
  'file:///etc/passwd',
  'data:text/html,<script>',
  'javascript:alert(1)',
  '--version',
  '',
])('%j is refused for both', async (url) => {
  expect(() => safeUrl(url)).toThrow('is neither https nor http on this machine');
  expect(() => openInBrowser(url)).toThrow('is neither https nor http on this machine');
});

it.each([
  ['.bashrc', 'bashrc'],
  ['..', 'media'],
  ['... .ssh', 'ssh'],
  ['-rf', 'rf'],
  ['../../tmp/x', '_.._tmp_x'],
  ['a\u001b[2J\n', 'a_[2J_'],
  ['', 'media'],
  ['Talk: part 1', 'Talk_ part 1'],
])('the title %j is saved as %j', (title, name) => {
  expect(fileNameOf(title)).toBe(name);
});
