/**
 * Outlives a local cloud briefly: when the cloud's process dies unexpectedly, this process ends the processes that it had started.
 * `node keeper.mjs PATH…`, each a file that begins with a process number, or a directory of such files. The children's
 * process groups are ended too.
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
      // It is not a group leader, or has ended.
    }
  }
}

process.on('disconnect', () => {
  for (const file of process.argv.slice(2).flatMap(filesOf)) end(file);
  process.exit(0);
});
// The terminal's Ctrl-C is for the cloud, which ends its children in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
