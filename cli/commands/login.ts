import { type Command, Option } from 'commander';
import { SCOPES } from '../../core/contracts/http/system.ts';
import { type Profile, readConfig, saveProfile } from '../config.ts';
import { type GlobalOptions, outputOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { signIn } from '../sign-in.ts';
import { tokenFor } from '../token.ts';
import { safeUrl } from '../url.ts';

interface Options {
  issuer?: string;
  tokenUrl?: string;
  clientId?: string;
  clientSecret?: string;
  operator?: boolean;
  scope?: string;
  audience?: string;
}

export function addLogin(program: Command): void {
  program
    .command('login')
    .description('keep an API and the means to get its tokens as a profile')
    .option('--issuer <url>', 'OIDC issuer')
    .option('--token-url <url>', "the issuer's token endpoint, if it does not publish it")
    .option('--client-id <id>')
    .option('--client-secret <secret>', 'for a machine (client credentials); better in DROPREEL_CLIENT_SECRET')
    .option('--operator', 'ask for the operator scope too, where the issuer grants it')
    .addOption(
      new Option('--scope <scopes>', "what to ask the issuer for, in its own names, 'openid' too").conflicts(
        'operator',
      ),
    )
    .option('--audience <name>', 'the audience of the API, for an issuer that requires it (Auth0)')
    .action(async (options: Options, command: Command) => {
      const { endpoint = process.env.DROPREEL_ENDPOINT, profile: name = 'default' } =
        command.optsWithGlobals<GlobalOptions>();
      const known = (await readConfig()).profiles[name];
      const apiUrl = endpoint ?? known?.apiUrl;
      for (const url of [apiUrl, options.issuer, options.tokenUrl]) if (url) safeUrl(url);
      if (!apiUrl) throw new CliError(EXIT.usage, 'Give --endpoint URL. (A local cloud needs no login.)');
      const clientSecret = options.clientSecret ?? process.env.DROPREEL_CLIENT_SECRET;
      const clientId = options.clientId ?? process.env.DROPREEL_CLIENT_ID ?? known?.clientId;
      if (!clientId) throw new CliError(EXIT.usage, 'Give --client-id ID.');
      const issuerUrl = options.issuer ?? process.env.DROPREEL_ISSUER ?? known?.issuerUrl;
      const tokenUrl = options.tokenUrl ?? process.env.DROPREEL_TOKEN_URL ?? known?.tokenUrl;
      // Scopes that another client requested are not kept for this one.
      const kept = known?.clientId === clientId ? known : undefined;
      const scope = options.scope ?? process.env.DROPREEL_SCOPE ?? kept?.scope;
      const audience = options.audience ?? process.env.DROPREEL_AUDIENCE ?? kept?.audience;
      const profile: Profile = {
        name,
        apiUrl: apiUrl.replace(/\/+$/, ''),
        local: false,
        clientId,
        ...(issuerUrl && { issuerUrl }),
        ...(tokenUrl && { tokenUrl }),
        ...(clientSecret && { clientSecret }),
        ...(scope && !options.operator && { scope }),
        ...(audience && { audience }),
      };
      const out = outputOf(command);
      if (clientSecret) await tokenFor(profile);
      const scopes = options.operator ? [SCOPES.creator, SCOPES.operator] : [SCOPES.creator];
      const token = clientSecret ? undefined : await signIn(profile, scopes, (line) => out.note(line));
      await saveProfile({ ...profile, ...(token && { token }) }, true);
      out.result({ profile: name, apiUrl: profile.apiUrl }, () => `Logged in to ${profile.apiUrl} (profile ${name}).`);
    });
}
