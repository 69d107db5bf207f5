import { basename } from 'node:path';
import { bar } from '../../cli/progress.ts';
import { printableLine } from '../../core/contracts/text.ts';

/** What a progress line shows of one file. */
export interface Progress {
  state: string;
  step: string;
  /** 0 to 100 */
  percent: number;
  /** Times real time. */
  speed?: number | undefined;
}

/** A line per file: rewritten in place on a terminal, elsewhere printed whenever its state or step changes. */
export function openProgress(stream: NodeJS.WriteStream, files: string[]) {
  const names = files.map((file) => printableLine(basename(file)));
  const width = Math.min(32, Math.max(...names.map((name) => name.length)));
  const lines: Progress[] = files.map(() => ({ state: 'uploading', step: '', percent: 0 }));
  const printed = files.map(() => '');
  let drawn = false;

  const text = (index: number) => {
    const line = lines[index];
    if (!line) return '';
    const speed = line.speed ? `  ${line.speed.toFixed(1)}x` : '';
    const name = (names[index] ?? '').slice(0, width).padEnd(width);
    return `${name}  ${line.state.padEnd(13)} ${bar(line.percent)}  ${printableLine(line.step)}${speed}`;
  };
  const draw = () => {
    if (drawn) stream.write(`\x1b[${files.length}A`);
    for (const index of files.keys()) stream.write(`\x1b[2K${text(index)}\n`);
    drawn = true;
  };

  return {
    update(index: number, progress: Progress): void {
      lines[index] = progress;
      if (stream.isTTY) {
        draw();
        return;
      }
      const key = `${progress.state} ${progress.step}`;
      if (printed[index] === key) return;
      printed[index] = key;
      stream.write(`${text(index)}\n`);
    },
    close(): void {
      if (stream.isTTY) draw();
    },
  };
}
