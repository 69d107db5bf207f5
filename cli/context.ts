import type { Command } from 'commander';
import { ApiClient } from './client.ts';
import { type Profile, resolveProfile } from './config.ts';
import { Output } from './output.ts';
import { tokenFor } from './token.ts';

export interface GlobalOptions {
  endpoint?: string;
  profile?: string;
  json?: boolean;
  as?: string;
}

/** What a command works with. */
export interface Context {
  profile: Profile;
  api: ApiClient;
  out: Output;
}

export function outputOf(command: Command): Output {
  return new Output(command.optsWithGlobals<GlobalOptions>().json === true);
}

/** @throws CliError when no API is configured and none runs here */
export async function contextOf(command: Command): Promise<Context> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const profile = await resolveProfile(options);
  const api = new ApiClient(profile.apiUrl, () => tokenFor(profile));
  return { profile, api, out: outputOf(command) };
}
