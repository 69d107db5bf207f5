import type { Command } from 'commander';
import { addCollectionsCreate } from './create.ts';
import { addCollectionsEdit } from './edit.ts';
import { addCollectionsLs } from './ls.ts';
import { addCollectionsRm } from './rm.ts';
import { addCollectionsShow } from './show.ts';

export function addCollections(program: Command): void {
  const collections = program.command('collections').description('list, make, change and delete collections');
  for (const add of [
    addCollectionsLs,
    addCollectionsShow,
    addCollectionsCreate,
    addCollectionsEdit,
    addCollectionsRm,
  ]) {
    add(collections);
  }
}
