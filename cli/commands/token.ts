import type { Command } from 'commander';
import { outputOf, profileOf } from '../context.ts';
import { tokenFor } from '../token.ts';

export function addToken(program: Command): void {
  program
    .command('token')
    .description('print an access token, for curl and the like')
    .action(async (_options: object, command: Command) => {
      const profile = await profileOf(command);
      const token = await tokenFor(profile);
      outputOf(command).result({ apiUrl: profile.apiUrl, token }, () => token);
    });
}
