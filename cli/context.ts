import type { Command } from 'commander';
import { Client } from '../client/client.ts';
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
  api: Client;
  out: Output;
}

export function outputOf(command: Command): Output {
  return new Output(command.optsWithGlobals<GlobalOptions>().json === true);
}

/** @throws CliError when no API is configured and no local cloud runs here */
export async function contextOf(command: Command): Promise<Context> {
  const out = outputOf(command);
  const profile = await profileOf(command);
  const api = new Client(profile.apiUrl, () => tokenFor(profile));
  return { profile, api, out };
}

/**
 * The profile that the options name, with a note where it is a local cloud that was found.
 * @throws CliError as `contextOf`
 */
export async function profileOf(command: Command): Promise<Profile> {
  const out = outputOf(command);
  // With --json, stderr has JSON too.
  const note = (line: string) => (out.json ? undefined : out.note(`dropreel: ${line}`));
  const profile = await resolveProfile(command.optsWithGlobals<GlobalOptions>(), note);
  if (profile.cloudFile !== undefined) {
    const unsent = process.env.DROPREEL_TOKEN ? '; DROPREEL_TOKEN is not sent to it' : '';
    note(`talks to the local cloud ${profile.apiUrl} (${profile.cloudFile})${unsent}`);
  }
  return profile;
}
