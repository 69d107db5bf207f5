/**
 * Outlives a local cloud by a moment: when the cloud's process dies without a word, what it had started is ended.
 * `node keeper.mjs PATH…`, each a file that holds a process number first, or a directory of such files. The children's
 * groups go with them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

function filesOf(path) {
  try {
    return statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  } catch {
    return [];
  }
}

function end(file) {
  let pid;
  try {
    pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch {
    return;
  }
  if (!(pid > 1)) return;
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It is no leader of a group, or has ended.
    }
  }
}

process.on('disconnect', () => {
  for (const file of process.argv.slice(2).flatMap(filesOf)) end(file);
  process.exit(0);
});
// The terminal's Ctrl-C is for the cloud, which ends its children in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
