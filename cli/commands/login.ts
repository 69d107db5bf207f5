import type { Command } from 'commander';
import { SCOPES } from '../../core/contracts/api.ts';
import { type Profile, readConfig, saveProfile } from '../config.ts';
import { type GlobalOptions, outputOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { signIn } from '../sign-in.ts';
import { tokenFor } from '../token.ts';

interface Options {
  issuer?: string;
  tokenUrl?: string;
  clientId?: string;
  clientSecret?: string;
  operator?: boolean;
}

export function addLogin(program: Command): void {
  program
    .command('login')
    .description('keep an API and the means to get its tokens as a profile')
    .option('--issuer <url>', 'OIDC issuer')
    .option('--token-url <url>', "the issuer's token endpoint, if it does not publish it")
    .option('--client-id <id>')
    .option('--client-secret <secret>', 'for a machine (client credentials); better in DROPREEL_CLIENT_SECRET')
    .option('--operator', 'ask for the operator scope too, where the issuer gives it')
    .action(async (options: Options, command: Command) => {
      const { endpoint = process.env.DROPREEL_ENDPOINT, profile: name = 'default' } =
        command.optsWithGlobals<GlobalOptions>();
      const known = (await readConfig()).profiles[name];
      const apiUrl = endpoint ?? known?.apiUrl;
      if (!apiUrl) throw new CliError(EXIT.usage, 'Give --endpoint URL. (A local cloud needs no login.)');
      const clientSecret = options.clientSecret ?? process.env.DROPREEL_CLIENT_SECRET;
      const clientId = options.clientId ?? process.env.DROPREEL_CLIENT_ID ?? known?.clientId;
      if (!clientId) throw new CliError(EXIT.usage, 'Give --client-id ID.');
      const issuerUrl = options.issuer ?? process.env.DROPREEL_ISSUER ?? known?.issuerUrl;
      const tokenUrl = options.tokenUrl ?? process.env.DROPREEL_TOKEN_URL ?? known?.tokenUrl;
      const profile: Profile = {
        name,
        apiUrl: apiUrl.replace(/\/+$/, ''),
        local: false,
        clientId,
        ...(issuerUrl && { issuerUrl }),
        ...(tokenUrl && { tokenUrl }),
        ...(clientSecret && { clientSecret }),
      };
      const out = outputOf(command);
      if (clientSecret) await tokenFor(profile);
      const scopes = options.operator ? [SCOPES.creator, SCOPES.operator] : [SCOPES.creator];
      const token = clientSecret ? undefined : await signIn(profile, scopes, (line) => out.note(line));
      await saveProfile({ ...profile, ...(token && { token }) }, true);
      out.result({ profile: name, apiUrl: profile.apiUrl }, () => `Logged in to ${profile.apiUrl} (profile ${name}).`);
    });
}
