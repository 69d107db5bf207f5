import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN } from '../support/command.ts';
import { HAS_TERMINAL, lacks, onTerminal } from '../support/terminal.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-completion-'));
  await writeFile(join(folder, 'my clip.mp4'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const scriptFor = (shell: string) => execFileSync('node', [BIN, 'completion', shell], { encoding: 'utf8' });

/** What is typed before Tab, and the line that Tab makes of it. The space after a whole word comes in bash only. */
const LINES: [string, string][] = [
  ['dropreel retr', 'dropreel retr'],
  ['dropreel retra', 'dropreel retranscode'],
  ['dropreel collections cr', 'dropreel collections create'],
  ['dropreel --json coll', 'dropreel --json collections'],
  ['dropreel ls --coll', 'dropreel ls --collection'],
  ['dropreel upload my', 'dropreel upload my\\ clip.mp4'],
  ['dropreel check-stream my', 'dropreel check-stream my\\ clip.mp4'],
  ['dropreel download -o my', 'dropreel download -o my\\ clip.mp4'],
];

/** The lines of a shell that has just begun, after Tab. Ctrl-X shows the line as the shell holds it; Ctrl-U empties it. */
async function lines(command: string): Promise<string[]> {
  const { PATH = '' } = process.env;
  const terminal = onTerminal(command, { cwd: folder, env: { PATH, HOME: folder, ZDOTDIR: folder } });
  const held: string[] = [];
  for (const [typed] of LINES) {
    await terminal.shows(/ready> /);
    terminal.type(`${typed}\t\x18`);
    held.push((await terminal.shows(/<<(.*)>>/))[1]?.trimEnd() ?? '');
    terminal.type('\x15\n');
  }
  terminal.type('exit\n');
  await terminal.ended;
  return held;
}

describe.skipIf(!HAS_TERMINAL)('a shell with its completions', () => {
  it('completes commands, options and names with spaces in bash', async () => {
    const show = `bind -x '"\\C-x": echo "<<$READLINE_LINE>>"'`;
    const quiet = 'bind "set enable-bracketed-paste off"; bind "set bell-style none"';
    await writeFile(join(folder, 'bashrc'), `PS1='ready> '\n${quiet}\n${show}\n${scriptFor('bash')}`);
    expect(await lines('bash --noprofile --rcfile bashrc -i')).toEqual(LINES.map(([, line]) => line));
  });

  it.skipIf(lacks('zsh'))('completes them in zsh, which has not set up its own completions', async () => {
    const show = `show() { print -r -- "<<$BUFFER>>" }\nzle -N show\nbindkey '^X' show`;
    await writeFile(join(folder, '.zshrc'), `PS1='ready> '\nunsetopt beep\n${scriptFor('zsh')}\n${show}`);
    expect(await lines('zsh -d -i')).toEqual(LINES.map(([, line]) => line));
  });
});

describe.skipIf(lacks('fish'))('fish with its completions', () => {
  it.each([
    ['dropreel retr', ['retranscode', 'retry']],
    ['dropreel collections cr', ['create']],
    ['dropreel --json coll', ['collections']],
    ['dropreel ls --coll', ['--collection']],
    ['dropreel upload my', ['my clip.mp4']],
    ['dropreel check-stream my', ['my clip.mp4']],
  ])('completes «%s»', async (line, words) => {
    await writeFile(join(folder, 'completions.fish'), scriptFor('fish'));
    const asked = ['--no-config', '-c', 'source completions.fish; complete -C $argv[1]', line];
    const shown = execFileSync('fish', asked, { cwd: folder, encoding: 'utf8', env: { ...process.env, HOME: folder } });
    const found = shown.split('\n').map((text) => text.split('\t')[0]);
    expect(found.filter(Boolean)).toEqual(words);
  });
});
