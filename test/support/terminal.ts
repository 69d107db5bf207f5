import { spawn, spawnSync } from 'node:child_process';

/** Whether a program is there to be run. */
function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Whether a test of a program is skipped. On CI, where set-up may install all of them, none is. */
export const lacks = (program: string): boolean => !process.env.CI && !isInstalled(program);

/** `script` of util-linux gives a program a terminal of its own; that of macOS has other options. */
export const HAS_TERMINAL = process.platform === 'linux' && !lacks('script');

/** A program on a terminal: what it shows so far, and keys for it. */
export interface OnTerminal {
  type: (keys: string) => void;
  /** Waits until what was shown since the last call matches; returns the match. */
  shows: (pattern: RegExp | string) => Promise<RegExpExecArray>;
  everything: () => string;
  /** The exit code. */
  ended: Promise<number | null>;
}

/** @param command a line for the shell, of words that need no quotes */
export function onTerminal(command: string, options: { cwd: string; env: Record<string, string> }): OnTerminal {
  const env = { TERM: 'xterm', ...options.env };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd: options.cwd, env, stdio: 'pipe' });
  let shown = '';
  let from = 0;
  let look = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    look();
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  return {
    ended,
    everything: () => shown,
    type: (keys) => void child.stdin.write(keys),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const expected = typeof pattern === 'string' ? new RegExp(pattern.replace(/[[?]/g, '\\$&')) : pattern;
        look = () => {
          const found = expected.exec(shown.slice(from));
          if (!found) return;
          from += found.index + found[0].length;
          look = () => {};
          resolve(found);
        };
        void ended.then(() => reject(new Error(`It ended, and had shown: ${JSON.stringify(shown)}`)));
        look();
      }),
  };
}
