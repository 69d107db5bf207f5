import type { Command } from 'commander';
import { addArchiveEnable } from './enable.ts';
import { addArchiveFile } from './file.ts';
import { addArchivePlan } from './plan.ts';
import { addArchiveRepair } from './repair.ts';
import { addArchiveRestore } from './restore.ts';
import { addArchiveRun } from './run.ts';
import { addArchiveStats } from './stats.ts';
import { addArchiveStatus } from './status.ts';
import { addArchiveWatch } from './watch.ts';

export function addArchive(program: Command): void {
  const archive = program
    .command('archive')
    .description(
      'make old recordings of a folder or a collection smaller, and keep each original until the new file has proved itself',
    );
  const words = [addArchivePlan, addArchiveEnable, addArchiveStatus, addArchiveRun, addArchiveFile, addArchiveStats];
  for (const add of [...words, addArchiveRestore, addArchiveRepair, addArchiveWatch]) add(archive);
}
